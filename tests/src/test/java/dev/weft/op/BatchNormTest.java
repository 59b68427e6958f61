// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static org.bytedeco.pytorch.global.torch.batch_norm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.MathMode;
import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.check.CheckResult;
import dev.weft.check.GradCheck;
import dev.weft.check.Input;
import dev.weft.data.Dataset;
import dev.weft.data.LastBatch;
import dev.weft.data.ToySets;
import dev.weft.nn.BatchNorm;
import dev.weft.nn.Loss;
import dev.weft.nn.Network;
import dev.weft.nn.Sequential;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.support.Emulator;
import dev.weft.support.OnEachDevice;
import dev.weft.train.Evaluator;
import dev.weft.train.Trainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.TensorOptional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Batch norm against the operations that it is made of, and against PyTorch over several steps. */
@ExtendWith(Emulator.class)
class BatchNormTest {
  private static final double EPSILON = 1e-5;
  @TempDir private Path folder;

  /** What no gradient goes through: with it, a term of dx is left out. */
  private enum Constant {
    NOTHING,
    MEAN,
    VARIANCE
  }

  private static Tensor composed(
      Operations ops, Tensor x, Tensor scale, Tensor shift, Constant constant) {
    Tensor less = ops.subtract(x, ofColumns(ops, x, constant == Constant.MEAN));
    Tensor variance = ofColumns(ops, ops.square(less), constant == Constant.VARIANCE);
    Tensor n = ops.divide(less, ops.sqrt(ops.shift(variance, EPSILON)));
    return ops.add(ops.multiply(scale, n), shift);
  }

  private static Tensor ofColumns(Operations ops, Tensor x, boolean constant) {
    Tensor mean = ops.mean(x, 0);
    return constant ? ops.device().tensor(mean.dtype(), mean.shape(), mean.toDoubles()) : mean;
  }

  /**
   * Far from 0 and close together: a variance from a mean of squares would have no digit left; and
   * a first row that is far from all others.
   */
  @ParameterizedTest
  @CsvSource({
    "7, 9, 0, 0",
    "129, 31, 1000, 0",
    "4100, 17, 1000, 0",
    "3000, 130, 12345, 0",
    "3000, 5, 0, 10000"
  })
  void itIsItsComposition(int rows, int width, double offset, double first) {
    double[] values = Input.uniform(offset - 1, offset + 1, rows, width).values(1);
    for (int c = 0; c < width; c++) {
      values[c] += first;
    }
    List<Input> inputs =
        List.of(
            Input.of(Shape.of(rows, width), values),
            Input.uniform(0.5, 2, width),
            Input.uniform(-1, 1, width));
    // a mean is off by half a unit of its last digit, see LayerNormTest; one of parts by more
    long terms = (long) Math.max(rows, 4 * offset * offset);
    Composed.assertAgrees(
        (tape, in) -> tape.batchNorm(in[0], in[1], in[2], EPSILON),
        (tape, in) -> composed(tape, in[0], in[1], in[2], Constant.NOTHING),
        inputs,
        terms);
  }

  @ParameterizedTest
  @EnumSource
  void aTermThatIsLeftOutIsNoticed(Constant constant) {
    List<CheckResult> results =
        Composed.checked("batch_norm", (tape, in) -> composed(tape, in[0], in[1], in[2], constant));
    boolean passed = results.stream().allMatch(CheckResult::passed);
    assertEquals(constant == Constant.NOTHING, passed, results::toString);
  }

  @OnEachDevice
  void ofEqualNumbersNothingIsLeft(OnEachDevice.Place place) {
    for (int rows : new int[] {3, 100, 3001}) {
      double[] equal = new double[rows * 5];
      Arrays.fill(equal, 12_345.678f);
      try (Device device = place.open();
          Tape tape = new Tape(device);
          Tensor x = device.tensor(DType.F32, Shape.of(rows, 5), equal);
          Tensor scale = device.full(DType.F32, Shape.of(5), 7);
          Tensor shift = device.full(DType.F32, Shape.of(5), 3)) {
        double[] y = tape.batchNorm(x, scale, shift, EPSILON).toDoubles();
        assertTrue(Arrays.stream(y).allMatch(value -> value == 3), () -> Arrays.toString(y));
      }
    }
  }

  /** Five batches, then an inference, which leaves the running values where they were. */
  @OnEachDevice
  void runningValuesAndInferenceAreThoseOfPyTorch(OnEachDevice.Place place) {
    int width = 6;
    double momentum = 0.3;
    try (Device device = place.open();
        PointerScope _ = new PointerScope();
        Network network = network(new BatchNorm(width, EPSILON, momentum), device)) {
      List<Tensor> running =
          network.named().entrySet().stream()
              .filter(one -> one.getKey().contains("running"))
              .map(one -> one.getValue().tensor())
              .toList();
      var mean = TorchTwins.tensor(new double[width], width);
      var variance = mean.add(new Scalar(1));
      for (int step = 0; step < 6; step++) {
        boolean training = step < 5;
        Input batch = Input.uniform(step - 1, 2 * step + 1, 11 + step, width);
        double[] y;
        try (Tape tape = training ? new Tape(device) : Tape.inference(device);
            Tensor x = batch.on(device, DType.F32, step)) {
          y = network.forward(tape, Inputs.of(x)).toDoubles();
        }
        double[] expected =
            TorchTwins.doubles(
                batch_norm(
                    TorchTwins.tensor(batch.values(step), 11 + step, width),
                    new TensorOptional(),
                    new TensorOptional(),
                    new TensorOptional(mean),
                    new TensorOptional(variance),
                    training,
                    momentum,
                    EPSILON,
                    false));
        assertArrayEquals(expected, y, 1e-5);
        assertArrayEquals(TorchTwins.doubles(mean), running.get(0).toDoubles(), 1e-5);
        assertArrayEquals(TorchTwins.doubles(variance), running.get(1).toDoubles(), 1e-5);
      }
    }
  }

  private static Network network(BatchNorm norm, Device device) {
    return Sequential.of(norm).on(device, MathMode.STRICT);
  }

  @Test
  void theLayerTakesPositionsAndPassesAGradientCheck() {
    GradCheck.of(new BatchNorm(6), GradCheck.randomNormal(4, 6)).assertPasses();
    GradCheck.of(new BatchNorm(3), GradCheck.randomNormal(1, 5, 3)).assertPasses();
  }

  private static Sequential model() {
    return Sequential.parse("linear(2,8,no_bias) batch_norm(8) relu linear(8,2)");
  }

  private static double[] values(Network network) {
    return network.named().values().stream()
        .map(Parameter::tensor)
        .flatMapToDouble(tensor -> Arrays.stream(tensor.toDoubles()))
        .toArray();
  }

  private static Trainer trainer(Network network, Device device, MathMode math) {
    return Trainer.of(network).on(device).math(math).batch(10).seed(4);
  }

  /** Evaluation during training changes nothing; a file has all; stopping and going on is one. */
  @OnEachDevice
  void trainingEvaluatesSavesAndGoesOn(OnEachDevice.Place place) throws Exception {
    Dataset data = ToySets.moons(48, 0.1, 1);
    Dataset test = ToySets.moons(31, 0.1, 2);
    for (MathMode math : List.of(MathMode.STRICT, MathMode.BF16)) {
      List<double[]> ends = new ArrayList<>();
      for (int way = 0; way < 3; way++) {
        try (Device device = place.open();
            Sequential network = model()) {
          Trainer trainer = trainer(network, device, math);
          if (way == 0) {
            trainer.fit(data, 4);
          } else if (way == 1) {
            trainer.fit(data, test, 4);
          } else {
            trainer.fit(data, test, 1);
            trainer.fit(data, 3);
          }
          ends.add(values(network));
          double[] before = network.named().get("1.running_mean").tensor().toDoubles();
          assertTrue(Arrays.stream(before).anyMatch(value -> value != 0), "it has moved");
          Path file = folder.resolve("network.safetensors");
          network.save(file);
          try (Network again = Network.load(file).on(device, math);
              var one = new Evaluator(network, loss(), test, 7);
              var two = new Evaluator(again, loss(), test, 31)) {
            assertEquals(network.spec(), again.spec());
            assertEquals(one.evaluate().loss(), two.evaluate().loss(), 1e-6);
            assertArrayEquals(before, again.named().get("1.running_mean").tensor().toDoubles());
          }
          assertArrayEquals(ends.getLast(), values(network), "evaluation moves nothing");
        }
      }
      assertArrayEquals(ends.get(0), ends.get(1));
      assertArrayEquals(ends.get(0), ends.get(2));
    }
  }

  private static Loss loss() {
    return new SoftmaxCrossEntropy();
  }

  /** 41 rows in batches of 10: said before the first step; another batch size or DROP cures it. */
  @OnEachDevice
  void aLastBatchOfOneRowIsRefusedBeforeTheFirstStep(OnEachDevice.Place place) {
    Dataset data = ToySets.moons(41, 0.1, 1);
    try (Device device = place.open();
        Sequential network = model()) {
      Trainer trainer = trainer(network, device, MathMode.STRICT);
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> trainer.fit(data, 1));
      assertEquals(
          "the last batch of an epoch has 1 of 10 rows: batch_norm takes mean and variance over the"
              + " rows of a batch, at least 2, and x of shape [1, 8] has 1; leave it out"
              + " (LastBatch.DROP, --last-batch drop), or choose another batch size",
          e.getMessage());
      assertEquals(0, trainer.position().step());
      trainer.lastBatch(LastBatch.DROP).fit(data, 1);
      assertEquals(4, trainer.position().step());
      try (Sequential other = model()) {
        trainer(other, device, MathMode.STRICT).batch(11).fit(data, 1);
      }
    }
  }

  /** The operation knows nothing of a trainer. */
  @Test
  void aBatchOfOneRowIsRefusedByHandInTheOperationsWords() {
    try (Device device = Device.cpu();
        Sequential network = model().on(device);
        Tape tape = new Tape(device);
        Tensor x = device.tensor(new float[][] {{1, 2}})) {
      assertEquals(
          "batch_norm takes mean and variance over the rows of a batch, at least 2, and x of shape"
              + " [1, 8] has 1",
          assertThrows(IllegalArgumentException.class, () -> network.forward(tape, x))
              .getMessage());
    }
  }

  /**
   * In inference y = scale (x - m) r + shift with fixed m and r = 1 / √(v + ε), which training
   * moves before the backward pass.
   */
  @OnEachDevice
  void gradientsOfAPredictionTakeRunningValuesAsTheyWere(OnEachDevice.Place place) {
    double r = 1 / Math.sqrt(4 + EPSILON);
    try (Device device = place.open();
        Tape tape = Tape.recordedInference(device);
        Tape training = new Tape(device);
        Tensor x = device.tensor(DType.F64, new double[][] {{1, 2}}).requiresGrad();
        Tensor scale = device.tensor(DType.F64, new double[] {3, -2}).requiresGrad();
        Tensor shift = device.tensor(DType.F64, new double[] {0, 1}).requiresGrad();
        Tensor dy = device.tensor(DType.F64, new double[][] {{1, 10}});
        Tensor batch = device.tensor(DType.F64, new double[][] {{7, 8}, {9, -6}});
        Tensor mean = device.tensor(DType.F64, new double[] {0.5, -1});
        Tensor variance = device.tensor(DType.F64, new double[] {4, 4})) {
      var norm = new BatchNormOperation(EPSILON, 0.5);
      Tensor y = tape.apply(norm, x, scale, shift, mean, variance);
      assertArrayEquals(new double[] {1.5 * r, 1 - 6 * r}, y.toDoubles(), 1e-14);
      assertArrayEquals(new double[] {0.5, -1}, mean.toDoubles());
      training.apply(norm, batch, scale, shift, mean, variance);
      assertArrayEquals(new double[] {4.25, 0}, mean.toDoubles(), 1e-14);
      tape.backward(y, dy);
      assertArrayEquals(new double[] {3 * r, -20 * r}, x.grad().toDoubles(), 1e-13);
      assertArrayEquals(new double[] {0.5 * r, 30 * r}, scale.grad().toDoubles(), 1e-13);
      assertArrayEquals(new double[] {1, 10}, shift.grad().toDoubles());
    }
  }

  /** Its own gradient does not read them; another one would. */
  @OnEachDevice
  void aGradientThroughRunningValuesThatMovedIsRefused(OnEachDevice.Place place) {
    try (Device device = place.open();
        Sequential network = Sequential.of(new BatchNorm(3)).on(device);
        Tape tape = new Tape(device);
        Tensor x = Input.randomNormal(4, 3).on(device, DType.F32, 1).requiresGrad()) {
      Tensor before = tape.multiply(x, network.named().get("0.running_mean").tensor());
      Tensor y = network.forward(tape, Inputs.of(x));
      tape.backward(tape.sum(tape.square(y)));
      IllegalStateException e =
          assertThrows(IllegalStateException.class, () -> tape.backward(tape.sum(before)));
      assertTrue(e.getMessage().contains("running_mean"), e.getMessage());
    }
  }

  @Test
  void whatIsNoBatchNormIsRefused() {
    for (double epsilon : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThrows(IllegalArgumentException.class, () -> new BatchNorm(3, epsilon, 0.1));
    }
    for (double momentum : new double[] {-0.1, 1.1, Double.NaN}) {
      assertThrows(IllegalArgumentException.class, () -> new BatchNorm(3, EPSILON, momentum));
    }
    assertThrows(IllegalArgumentException.class, () -> new BatchNorm(0));
    try (Device device = Device.cpu();
        Tape tape = new Tape(device);
        Tensor x = device.zeros(DType.BF16, Shape.of(4, 3));
        Tensor ones = device.full(DType.BF16, Shape.of(3), 1);
        Tensor wide = device.full(DType.F32, Shape.of(3), 1);
        Tensor trained = device.full(DType.F32, Shape.of(3), 1).requiresGrad()) {
      for (List<Tensor> running : List.of(List.of(ones, wide), List.of(wide, trained))) {
        var operation = new BatchNormOperation(EPSILON, 0.1);
        IllegalArgumentException e =
            assertThrows(
                IllegalArgumentException.class,
                () -> tape.apply(operation, x, ones, ones, running.get(0), running.get(1)));
        assertTrue(
            e.getMessage().contains("takes a running mean and variance F32 [3] without a gradient"),
            e.getMessage());
      }
    }
  }
}
