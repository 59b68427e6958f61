// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.Shape;
import dev.weft.StepState;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.BatchOrder;
import dev.weft.data.Dataset;
import dev.weft.data.Digits;
import dev.weft.data.LastBatch;
import dev.weft.data.Split;
import dev.weft.data.ToySets;
import dev.weft.nn.Activation;
import dev.weft.nn.Linear;
import dev.weft.nn.MeanSquaredError;
import dev.weft.nn.Sequential;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.nn.SumOfSquares;
import dev.weft.optim.Adam;
import dev.weft.optim.Optimizer;
import dev.weft.optim.Sgd;
import dev.weft.support.OnEachDevice;
import dev.weft.support.OnEachDevice.Place;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class TrainerTest {

  @Test
  void aLinearModelCannotLearnXor() {
    assertTrue(xorAccuracy(Sequential.of(new Linear(2, 2))) <= 0.75);
  }

  @Test
  void oneHiddenLayerLearnsXor() {
    assertEquals(
        1, xorAccuracy(Sequential.of(new Linear(2, 8), Activation.TANH, new Linear(8, 2))));
  }

  private static double xorAccuracy(Sequential network) {
    try (Device device = Device.cpu()) {
      Dataset xor = ToySets.xor();
      Trainer.of(network).on(device).batch(4).optimizer(Adam.rate(0.05)).fit(xor, 500);
      try (Evaluator evaluator = new Evaluator(network, new SoftmaxCrossEntropy(), xor, 4)) {
        return evaluator.evaluate().accuracy();
      }
    }
  }

  @Test
  void aReplayedRunEqualsOneThatIsWrittenOut() {
    Split digits = Digits.generate(100, 3);
    double[] replayed = new double[6];
    double[] written = new double[6];
    try (Device device = Device.cpu()) {
      Sequential network = network();
      try (TrainingRun run =
          Trainer.of(network)
              .on(device)
              .math(MathMode.DOUBLE)
              .optimizer(Sgd.rate(0.1).momentum(0.9))
              .batch(40)
              .seed(9)
              .start(digits.train())) {
        for (int i = 0; i < replayed.length; i++) {
          run.step();
          replayed[i] = run.loss();
        }
      }
      network.close();
    }
    try (Device device = Device.cpu();
        StepState state = new StepState(device, 9)) {
      Sequential network = network().seed(9).on(device, MathMode.DOUBLE);
      var arena = network.arena();
      var optimizer = Sgd.rate(0.1).momentum(0.9).start(arena.values(), arena.gradients());
      BatchOrder order = new BatchOrder(100, 40, LastBatch.KEEP, 9);
      int step = 0;
      for (int epoch = 0; epoch < 2; epoch++) {
        int[] rows = order.epoch(epoch).toArray(ValueLayout.JAVA_INT);
        for (int batch = 0; batch < 3; batch++) {
          try (Tape tape = new Tape(device)) {
            state.set(9, step, step, 0, 0.1);
            int from = batch * 40;
            int count = order.rowsIn(batch);
            double[][] x = new double[count][784];
            int[] labels = new int[count];
            for (int r = 0; r < count; r++) {
              for (int c = 0; c < 784; c++) {
                x[r][c] = digits.train().features().get(rows[from + r], c);
              }
              labels[r] = (int) digits.train().targets().get(rows[from + r], 0);
            }
            arena.zeroGradients();
            try (Tensor features = device.tensor(DType.F64, x);
                Tensor targets = device.tensor(labels)) {
              Tensor loss = tape.softmaxCrossEntropy(network.forward(tape, features), targets);
              tape.backward(loss);
              optimizer.step(state);
              written[step++] = loss.item();
            }
          }
        }
      }
      optimizer.close();
      network.close();
    }
    for (int i = 0; i < replayed.length; i++) {
      assertEquals(written[i], replayed[i], 1e-12 * written[i], "step " + i);
    }
  }

  private static Sequential network() {
    return Sequential.of(new Linear(784, 20), Activation.SIGMOID, new Linear(20, 10));
  }

  static Stream<Optimizer> optimizers() {
    return Stream.of(
        Sgd.rate(0.05),
        Sgd.rate(0.02).momentum(0.9),
        Sgd.rate(0.05).momentum(0.9).dampening(0.9),
        Sgd.rate(0.02).momentum(0.9).nesterov(),
        Sgd.rate(0.05).weightDecay(1e-3),
        Adam.rate(0.005),
        Adam.rate(0.005).weightDecay(0.01),
        Adam.rate(0.005).l2(1e-4));
  }

  @ParameterizedTest
  @MethodSource("optimizers")
  void everyOptimizerFitsALine(Optimizer optimizer) {
    // y = 2 a - b + 0.5: the network can be exactly right
    Random random = new Random(1);
    double[][] x = new double[200][2];
    double[][] y = new double[200][1];
    for (int i = 0; i < x.length; i++) {
      x[i] = new double[] {random.nextGaussian(), random.nextGaussian()};
      y[i][0] = 2 * x[i][0] - x[i][1] + 0.5;
    }
    try (Device device = Device.cpu()) {
      Sequential network = Sequential.of(new Linear(2, 1));
      History history =
          Trainer.of(network)
              .on(device)
              .loss(new MeanSquaredError())
              .optimizer(optimizer)
              .batch(20)
              .fit(Dataset.of(x, y), 120);
      assertTrue(history.last().train().loss() < 1e-2, () -> history.last().toString());
      double[] values = network.arena().values().toDoubles();
      assertEquals(2, values[0], 0.1);
      assertEquals(-1, values[1], 0.1);
    }
  }

  @Test
  void theTwentyLineNetworkLearns() {
    // two layers, sigmoid, sum of squares, rate 1e-4, a batch of all 64 rows
    Random random = new Random(0);
    double[][] x = new double[64][1000];
    double[][] y = new double[64][10];
    for (int r = 0; r < 64; r++) {
      x[r] = random.doubles(1000, -1, 1).toArray();
      y[r] = random.doubles(10, 0, 1).toArray();
    }
    try (Device device = Device.cpu()) {
      Sequential network =
          Sequential.of(
              new Linear(1000, 100, dev.weft.nn.Initializers.normal(0, 1), Linear.Bias.WITHOUT),
              Activation.SIGMOID,
              new Linear(100, 10, dev.weft.nn.Initializers.normal(0, 1), Linear.Bias.WITHOUT));
      History history =
          Trainer.of(network)
              .on(device)
              .loss(new SumOfSquares())
              .optimizer(Sgd.rate(1e-4))
              .batch(64)
              .fit(Dataset.of(x, y), 2000);
      double first = history.epochs().getFirst().train().loss();
      double last = history.last().train().loss();
      assertTrue(last < first / 20, () -> "from " + first + " to " + last);
    }
  }

  @Test
  void theLastBatchIsTrainedOnOrDroppedAsAsked() {
    Dataset data = ToySets.blobs(10, 2, 0.1, 1);
    for (LastBatch last : LastBatch.values()) {
      try (Device device = Device.cpu();
          TrainingRun run =
              Trainer.of(Sequential.of(new Linear(2, 2)))
                  .on(device)
                  .batch(3)
                  .lastBatch(last)
                  .start(data)) {
        assertEquals(last == LastBatch.KEEP ? 4 : 3, run.stepsPerEpoch());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Fusion.class)
  void dataSmallerThanABatchAreOneBatch(Fusion fusion) {
    for (int rows : new int[] {1, 60}) {
      Dataset data = ToySets.blobs(60, 2, 0.1, 1).slice(0, rows);
      History whole = fit(data, rows, fusion, Long.MAX_VALUE);
      assertEquals(whole.last().train(), fit(data, 128, fusion, Long.MAX_VALUE).last().train());
      assertEquals(rows, whole.last().test().rows());
      assertTrue(Double.isFinite(whole.last().test().loss()));
    }
  }

  @Test
  void dataSmallerThanABatchAreNotStreamed() {
    Dataset data = ToySets.blobs(60, 2, 0.1, 1);
    long bytes = 60L * (2 * Float.BYTES + Integer.BYTES + Integer.BYTES);
    fit(data, 128, Fusion.AUTO, bytes);
    assertSaid("two batches of 60 rows take", () -> fit(data, 128, Fusion.AUTO, bytes - 1));
  }

  private static History fit(Dataset data, int batch, Fusion fusion, long memory) {
    try (Device device = Device.cpu();
        Sequential network = Sequential.of(new Linear(2, 4), Activation.RELU, new Linear(4, 2))) {
      return Trainer.of(network)
          .on(device)
          .batch(batch)
          .fusion(fusion)
          .dataMemory(memory)
          .fit(data, data, 2);
    }
  }

  @Test
  void listenersSeeEveryEpochAndSomeSteps() {
    Dataset data = ToySets.moons(100, 0.1, 1);
    List<String> seen = new ArrayList<>();
    Listener listener =
        new Listener() {
          @Override
          public int every() {
            return 7;
          }

          @Override
          public void onStep(TrainingRun run) {
            seen.add(run.epoch() + ":" + run.stepOfEpoch());
          }

          @Override
          public void onEpoch(TrainingRun run, History.Epoch epoch) {
            seen.add("epoch " + epoch.number());
          }
        };
    try (Device device = Device.cpu()) {
      Trainer.of(Sequential.of(new Linear(2, 2)))
          .on(device)
          .batch(10)
          .listener(listener)
          .fit(data, data, 2);
    }
    assertEquals(List.of("1:7", "epoch 1", "2:4", "epoch 2"), seen);
  }

  @Test
  void aRateThatIsTooLargeStopsTheRunWithAReason() {
    Dataset data = Dataset.of(new double[][] {{1e3}, {-1e3}}, new double[][] {{1}, {2}});
    try (Device device = Device.cpu()) {
      Trainer trainer =
          Trainer.of(Sequential.of(new Linear(1, 1)))
              .on(device)
              .loss(new SumOfSquares())
              .optimizer(Sgd.rate(10))
              .batch(2);
      DivergedException e = assertThrows(DivergedException.class, () -> trainer.fit(data, 100));
      assertTrue(e.getMessage().contains("learning rate (10.0 now)"), e.getMessage());
      assertTrue(e.getMessage().contains("at step"), e.getMessage());
    }
  }

  /** Its loss was finite: that of the parameters before the step. */
  @ParameterizedTest
  @EnumSource(Fusion.class)
  void aLastStepThatSpoilsTheParametersIsSaid(Fusion fusion) {
    Dataset data = ToySets.blobs(60, 2, 0.1, 1);
    try (Device device = Device.cpu();
        Sequential network = Sequential.of(new Linear(2, 2))) {
      Trainer trainer = Trainer.of(network).on(device).optimizer(Sgd.rate(1e39)).fusion(fusion);
      DivergedException e = assertThrows(DivergedException.class, () -> trainer.fit(data, 1));
      assertTrue(
          e.getMessage().startsWith("after step 1, parameter 0.weight [2, 2] is "), e::getMessage);
      assertEquals(1, e.lastStep());
    }
  }

  /** What is said of a network whose last bias becomes infinite after its fourth step. */
  private static String diverged(int every, Fusion fusion) {
    Dataset data = ToySets.blobs(80, 2, 0.1, 1);
    try (Device device = Device.cpu()) {
      Sequential network = Sequential.of(new Linear(2, 3), Activation.RELU, new Linear(3, 2));
      Runnable spoil =
          () ->
              network.arena().values(network.named().get("2.bias")).fill(Double.POSITIVE_INFINITY);
      Trainer trainer =
          Trainer.of(network)
              .on(device)
              .optimizer(Sgd.rate(1))
              .batch(10)
              .fusion(fusion)
              .onStep(every, TrainingRun::measured)
              .onStep(
                  4,
                  run -> {
                    run.measured();
                    spoil.run();
                  });
      DivergedException e = assertThrows(DivergedException.class, () -> trainer.fit(data, 2));
      assertEquals(5, e.firstStep());
      return e.getMessage();
    }
  }

  @Test
  void divergenceNamesTheStepAndTheTensor() {
    String exact = diverged(1, Fusion.NEVER);
    assertTrue(exact.startsWith("the loss is NaN at step 5, parameter 0.weight [2, 3] is "), exact);
    String between = diverged(3, Fusion.NEVER);
    assertTrue(
        between.startsWith("the loss became NaN in one of the steps 5 to 6, parameter "), between);
    assertTrue(between.contains(" [2, 3] is NaN at ["), between);
    assertTrue(between.contains(" (4 of 4 parameters are not finite): lower"), between);
    String fused = diverged(2, Fusion.ALWAYS);
    assertTrue(fused.contains("in one of the steps 5 to 6, parameter 0."), fused);
  }

  @Test
  void whatDoesNotFitIsSaidBeforeAnythingIsDone() {
    Dataset digits = Digits.generate(20, 1).train();
    Dataset line = Dataset.of(new double[][] {{1}, {2}}, new double[][] {{1}, {2}});
    try (Device device = Device.cpu()) {
      assertSaid(
          "Linear(783, 10) got 784 features",
          () -> fit(device, Sequential.of(new Linear(783, 10)), digits, 10));
      assertSaid(
          "10 classes and the network 9 outputs",
          () -> fit(device, Sequential.of(new Linear(784, 9)), digits, 10));
      assertSaid(
          "a batch of 21 is larger than the data, 20 examples",
          () ->
              Trainer.of(Sequential.of(new Linear(784, 10)))
                  .on(device)
                  .batch(21)
                  .lastBatch(LastBatch.DROP)
                  .fit(digits, 1));
      assertSaid(
          "softmax_cross_entropy needs class labels",
          () -> fit(device, Sequential.of(new Linear(1, 1)), line, 2));
      assertEquals(0, device.memory().live());
    }
    assertSaid(
        "2 does not fit", () -> Sequential.of(new Linear(4, 3), Activation.RELU, new Linear(5, 2)));
  }

  private static void fit(Device device, Sequential network, Dataset data, int batch) {
    Trainer.of(network).on(device).batch(batch).fit(data, 1);
  }

  private static void assertSaid(String words, Runnable action) {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, action::run);
    assertTrue(e.getMessage().contains(words), e.getMessage());
  }

  @OnEachDevice
  void outputsThatAreNoNumbersNameNoClass(Place place) {
    Dataset data = ToySets.blobs(60, 2, 0.1, 1);
    for (double wrong : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
      try (Device device = place.open();
          Sequential network = Sequential.of(new Linear(2, 3), Activation.RELU, new Linear(3, 2))) {
        network.on(device);
        network.arena().values(network.named().get("2.bias")).view(1, Shape.of(1)).fill(wrong);
        assertEquals(Map.of("2.bias", 1L), network.notFinite());
        try (Evaluator evaluator = new Evaluator(network, new SoftmaxCrossEntropy(), data, 16)) {
          String said =
              assertThrows(IllegalStateException.class, () -> network.classes(data)).getMessage();
          assertEquals(
              "row 0 has no class: its largest output is "
                  + wrong
                  + "; 1 values of parameter 2.bias are not finite",
              said);
          Evaluation evaluation = evaluator.evaluate();
          assertTrue(Double.isNaN(evaluation.loss()), evaluation::toString);
          assertTrue(Double.isNaN(evaluation.accuracy()), evaluation::toString);
          assertEquals(wrong, network.scores(data)[0][1]);
        }
      }
    }
  }

  @Test
  void theSameRunTwiceInOneProcessOnTwoDevicesGivesTheSameValues() {
    Dataset data = ToySets.spirals(300, 3, 0.05, 2);
    try (Device one = Device.cpu();
        Device two = Device.cpu()) {
      Sequential first = Sequential.of(new Linear(2, 16), Activation.RELU, new Linear(16, 3));
      Sequential second = Sequential.of(new Linear(2, 16), Activation.RELU, new Linear(16, 3));
      try (TrainingRun a = Trainer.of(first).on(one).batch(32).start(data);
          TrainingRun b = Trainer.of(second).on(two).batch(32).start(data)) {
        for (int i = 0; i < 50; i++) {
          a.step();
          b.step();
        }
      }
      assertArrayEquals(first.arena().values().toDoubles(), second.arena().values().toDoubles());
    }
  }
}
