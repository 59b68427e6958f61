// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.MathMode;
import dev.weft.StepState;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.BatchOrder;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.data.Digits;
import dev.weft.data.LastBatch;
import dev.weft.data.Split;
import dev.weft.device.DeviceException;
import dev.weft.nn.Activation;
import dev.weft.nn.Dropout;
import dev.weft.nn.Linear;
import dev.weft.nn.MeanSquaredError;
import dev.weft.nn.Sequential;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.optim.Sgd;
import dev.weft.support.Emulator;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Data that do not fit on the device: the same results as data that do, in bounded memory. */
@ExtendWith(Emulator.class)
class StreamedDataTest {
  private static final int BATCH = 16;
  private static final long DIGIT = 784 + 4 + 4;
  private static final long ALL = Long.MAX_VALUE;

  /** What a run gives: losses of its epochs, final values, evaluation. */
  private record Run(double[] train, double[] test, double[] values, Evaluation evaluation) {}

  private static Device open(String name) {
    switch (name) {
      case "cuda deferred" -> Emulator.deferred();
      case "cuda deferred, reversed, exact" -> {
        Emulator.deferred();
        Emulator.reverse();
        Emulator.exact();
      }
      default -> {}
    }
    return name.equals("cpu") ? Device.cpu() : Emulator.device();
  }

  private static Run digits(String name, long memory, LastBatch last) {
    Split digits = Digits.generate(150, 5);
    try (Device device = open(name)) {
      Sequential network =
          Sequential.of(new Linear(784, 12), Activation.RELU, new Dropout(0.2), new Linear(12, 10));
      Trainer trainer =
          Trainer.of(network).on(device).batch(BATCH).lastBatch(last).dataMemory(memory).seed(3);
      History history = trainer.fit(digits.train(), digits.test(), 3);
      double[] train = history.epochs().stream().mapToDouble(e -> e.train().loss()).toArray();
      double[] test = history.epochs().stream().mapToDouble(e -> e.test().loss()).toArray();
      double[] values = network.arena().values().toDoubles();
      try (Evaluator evaluator =
          new Evaluator(
              network,
              new SoftmaxCrossEntropy(),
              List.of(new Accuracy()),
              digits.test(),
              BATCH,
              null,
              DataMemory.HALF_OF_FREE.most(memory))) {
        return new Run(train, test, values, evaluator.evaluate());
      }
    }
  }

  private static void assertSame(Run expected, Run actual) {
    assertArrayEquals(expected.train(), actual.train());
    assertArrayEquals(expected.test(), actual.test());
    assertArrayEquals(expected.values(), actual.values());
    assertEquals(expected.evaluation(), actual.evaluation());
  }

  @ParameterizedTest(name = "{0}, {1} batches a block, {2}")
  @CsvSource({
    "cpu, 1, KEEP",
    "cpu, 3, DROP",
    "cuda, 1, KEEP",
    "cuda, 2, KEEP",
    "cuda, 3, DROP",
    "cuda deferred, 1, KEEP",
    "cuda deferred, 2, KEEP",
    "'cuda deferred, reversed, exact', 3, KEEP"
  })
  void streamedBytesGiveTheBitsOfResidentOnes(String name, int batches, LastBatch last) {
    Run resident = digits(name, ALL, last);
    Emulator.reset();
    assertSame(resident, digits(name, 2 * batches * BATCH * DIGIT, last));
    assertEquals(0, Emulator.liveBytes());
  }

  @Test
  void anotherSeedWouldBeSeen() {
    Run one = digits("cpu", ALL, LastBatch.KEEP);
    Run two = digits("cpu", ALL, LastBatch.DROP);
    assertFalse(Arrays.equals(one.values(), two.values()));
  }

  /** Float64 rows become float32 block by block, and targets are values. */
  @ParameterizedTest
  @CsvSource({"cpu, STRICT", "cuda, STRICT", "cuda deferred, DOUBLE"})
  void streamedNumbersGiveTheBitsOfResidentOnes(String name, MathMode math) {
    Random random = new Random(4);
    double[][] x = new double[100][5];
    double[][] y = new double[100][2];
    for (int r = 0; r < x.length; r++) {
      Arrays.setAll(x[r], c -> random.nextGaussian());
      y[r][0] = x[r][0] * x[r][1];
      y[r][1] = Math.sin(x[r][2]);
    }
    Dataset data = Dataset.of(x, y).scaled(0.7, 0.1);
    double[][] values = new double[2][];
    for (int streamed = 0; streamed < 2; streamed++) {
      try (Device device = open(name)) {
        Sequential network = Sequential.of(new Linear(5, 7), Activation.TANH, new Linear(7, 2));
        Trainer.of(network)
            .on(device)
            .math(math)
            .loss(new MeanSquaredError())
            .optimizer(Sgd.rate(0.05).momentum(0.9))
            .batch(8)
            .dataMemory(streamed == 1 ? 2_000 : ALL)
            .fit(data, data, 3);
        values[streamed] = network.arena().values().toDoubles();
      }
    }
    assertArrayEquals(values[0], values[1]);
  }

  /** All batches of two epochs, each column's values one after the other. */
  private static List<String> batches(
      String name, Dataset data, SequencedMap<String, DType> wanted, long memory) {
    BatchOrder order = new BatchOrder(data.rows(), 8, LastBatch.KEEP, 5);
    List<String> all = new ArrayList<>();
    try (Device device = open(name);
        StepState state = new StepState(device, 1);
        BatchData on = BatchData.of(device, wanted, data, order, order::epoch, memory, null)) {
      for (int epoch = 0; epoch < 2; epoch++) {
        state.set(1, 0, 0, 0, 0);
        for (int b = 0; b < order.batches(); b++) {
          on.moveTo(epoch, b, state);
          try (Tape tape = new Tape(device)) {
            Inputs<Tensor> batch = on.batch(tape, state, order.rowsIn(b));
            for (String column : wanted.keySet()) {
              Tensor values = batch.get(column);
              all.add(column + values.shape() + Arrays.toString(values.toDoubles()));
            }
          }
          state.advance(order.rowsIn(b));
        }
      }
      assertEquals(memory == ALL, on instanceof ResidentData);
    }
    return all;
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu", "cuda", "cuda deferred"})
  void columnsOfAnyShapeAndTypeGiveTheSameBatchesStreamedAndResident(String name) {
    int n = 53;
    int[] text = new Random(3).ints(n, 0, 40).toArray();
    byte[] volumes = new byte[(n - 4) * 24];
    new Random(4).nextBytes(volumes);
    float[] weights = new float[n - 4];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = i * 0.5f;
    }
    int[][] bags = new int[n - 4][];
    Arrays.setAll(bags, r -> Arrays.copyOf(text, r % 3));
    Column tokens = Column.ids(text, 40);
    Dataset data =
        Dataset.of(
            Map.of(
                "words", tokens.window(4).slice(0, n - 4),
                "next", tokens.slice(4, n),
                "volume", Column.ofBytes(volumes, 1, 2, 3, 2, 2),
                "weight", Column.of(weights),
                "bag", Column.padded(bags, 40),
                "unused", Column.of(weights)));
    SequencedMap<String, DType> wanted = new LinkedHashMap<>();
    for (String column : new String[] {"words", "next", "volume", "weight", "bag"}) {
      wanted.put(column, DType.F64);
    }
    List<String> resident = batches(name, data, wanted, ALL);
    assertEquals(resident, batches(name, data, wanted, 2 * 2 * 8 * (16 + 4 + 24 + 8 + 4 + 8)));
    MemorySegment order = new BatchOrder(n - 4, 8, LastBatch.KEEP, 5).epoch(0);
    for (int b = 0; b < 7; b++) {
      int first = b * 8;
      int rows = Math.min(8, n - 4 - first);
      double[] words = new double[4 * rows];
      double[] next = new double[rows];
      for (int r = 0; r < rows; r++) {
        int row = order.getAtIndex(ValueLayout.JAVA_INT, first + r);
        for (int i = 0; i < 4; i++) {
          words[4 * r + i] = text[row + i];
        }
        next[r] = text[row + 4];
      }
      assertEquals("words[" + rows + ", 4]" + Arrays.toString(words), resident.get(5 * b));
      assertEquals("next[" + rows + "]" + Arrays.toString(next), resident.get(5 * b + 1));
      assertTrue(resident.get(5 * b + 2).startsWith("volume[" + rows + ", 1, 2, 3, 2, 2]["));
      assertTrue(resident.get(5 * b + 3).startsWith("weight[" + rows + "]["));
      int row = order.getAtIndex(ValueLayout.JAVA_INT, first);
      double[] bag = {row % 3 > 0 ? text[0] : -1, row % 3 > 1 ? text[1] : -1};
      String begin = Arrays.toString(bag).replace("]", "");
      assertTrue(resident.get(5 * b + 4).startsWith("bag[" + rows + ", 2]" + begin));
    }
    assertEquals(14 * 5, resident.size());
    Emulator.reset();
    assertEquals(0, Emulator.liveBytes());
  }

  /** The text lies on the device once, and not once for each place in a window. */
  @Test
  void windowsTakeNoMoreThanWhatTheyAreCutFrom() {
    Dataset data = Dataset.of(Map.of("words", Column.ids(new int[10_000], 2).window(100)));
    SequencedMap<String, DType> wanted = new LinkedHashMap<>(Map.of("words", DType.F32));
    BatchOrder order = new BatchOrder(data.rows(), 8, LastBatch.KEEP, 5);
    try (Device device = Device.cpu();
        BatchData on = BatchData.of(device, wanted, data, order, order::epoch, 80_000, null)) {
      assertEquals(ResidentData.class, on.getClass());
      assertTrue(device.memory().live() < 81_000, "bytes: " + device.memory().live());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu", "cuda"})
  void memoryDoesNotGrowWithTheData(String name) {
    long[] peaks = new long[3];
    int[] rows = {400, 1_600, 1_600};
    long memory = 4 * BATCH * DIGIT;
    for (int i = 0; i < rows.length; i++) {
      Dataset data = Digits.generate(rows[i], 1).train();
      try (Device device = open(name)) {
        Trainer trainer =
            Trainer.of(Sequential.of(new Linear(784, 10)))
                .on(device)
                .batch(BATCH)
                .dataMemory(i == 2 ? ALL : memory);
        try (TrainingRun run = trainer.start(data)) {
          for (int step = 0; step < 2 * run.stepsPerEpoch(); step++) {
            run.step();
          }
        }
        peaks[i] = device.memory().peak();
      }
    }
    assertEquals(peaks[0], peaks[1], "bytes at peak of 400 and of 1,600 rows");
    // what is resident differs by the data that the stream does not hold
    long rounding = 4 * 512;
    assertEquals(1_600 * DIGIT - memory, peaks[2] - peaks[1], rounding);
  }

  @Test
  void aDeviceWithLittleMemoryStreamsByItself() {
    Dataset data = Digits.generate(4_000, 1).train();
    long cublasWorkspace = 32L << 20;
    Emulator.totalMemory(cublasWorkspace + (3L << 20));
    try (Device device = Emulator.device()) {
      Sequential network = Sequential.of(new Linear(784, 10));
      try (TrainingRun run = Trainer.of(network).on(device).batch(BATCH).start(data)) {
        run.step();
        assertTrue(Double.isFinite(run.loss()));
        assertTrue(device.memory().live() < 4_000 * DIGIT, "the data are not all there");
      }
    }
  }

  @Test
  void evaluationMayStopAndBeginAgain() {
    Split digits = Digits.generate(200, 5);
    try (Device device = Emulator.device()) {
      Sequential network = Sequential.of(new Linear(784, 10)).on(device);
      SoftmaxCrossEntropy loss = new SoftmaxCrossEntropy();
      try (Evaluator resident = new Evaluator(network, loss, digits.train(), BATCH);
          Evaluator streamed =
              new Evaluator(
                  network,
                  loss,
                  List.of(new Accuracy()),
                  digits.train(),
                  BATCH,
                  null,
                  DataMemory.HALF_OF_FREE.most(4 * BATCH * DIGIT))) {
        Evaluation expected = resident.evaluate();
        assertEquals(expected, streamed.evaluate());
        Emulator.failCopy(4);
        assertThrows(DeviceException.class, streamed::evaluate);
        Emulator.reset();
        assertEquals(expected, streamed.evaluate());
        assertEquals(expected, streamed.evaluate());
      }
    }
    assertEquals(0, Emulator.liveBytes());
    assertEquals(0, Emulator.liveEvents());
  }

  @Test
  void whicheverCopyOrAllocationFailsNothingIsLeft() {
    Dataset data = Digits.generate(100, 5).train();
    for (boolean copy : new boolean[] {true, false}) {
      int failures = 0;
      for (int n = 1; failures == n - 1; n++) { // until there are no more
        try (Device device = Emulator.device()) {
          if (copy) {
            Emulator.failCopy(n);
          } else {
            Emulator.failAllocation(n);
          }
          Sequential network = Sequential.of(new Linear(784, 10));
          Trainer trainer =
              Trainer.of(network).on(device).batch(BATCH).dataMemory(2 * BATCH * DIGIT);
          try (TrainingRun run = trainer.start(data)) {
            for (int step = 0; step < 5; step++) {
              run.step();
            }
            device.synchronize();
          } catch (DeviceException e) {
            failures++;
          }
          Emulator.reset();
          network.close();
          assertEquals(0, device.memory().live());
        }
        assertEquals(0, Emulator.liveBytes());
        assertEquals(0, Emulator.liveStreams());
        assertEquals(0, Emulator.liveEvents());
      }
      assertTrue(failures > 5, failures + " runs failed, copies: " + copy);
    }
  }

  @Test
  void tooLittleForTwoBatchesSaysWhatTheyTake() {
    Dataset data = Digits.generate(100, 5).train();
    try (Device device = Device.cpu()) {
      Trainer trainer =
          Trainer.of(Sequential.of(new Linear(784, 10)))
              .on(device)
              .batch(BATCH)
              .dataMemory(2 * BATCH * DIGIT - 1);
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> trainer.start(data));
      assertTrue(e.getMessage().contains("two batches of 16 rows take 25,344"), e.getMessage());
      assertThrows(IllegalArgumentException.class, () -> trainer.dataMemory(0));
    }
  }
}
