// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

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
import dev.weft.data.Idx;
import dev.weft.data.LastBatch;
import dev.weft.data.Split;
import dev.weft.device.Nonlinearity;
import dev.weft.device.cpu.CpuLibrary;
import dev.weft.nn.Loss;
import dev.weft.nn.MeanSquaredError;
import dev.weft.nn.Sequential;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.nn.SumOfSquares;
import dev.weft.optim.Adam;
import dev.weft.optim.Groups;
import dev.weft.optim.Optimizer;
import dev.weft.optim.Schedule;
import dev.weft.optim.Sgd;
import dev.weft.optim.Updates;
import dev.weft.support.Emulator;
import dev.weft.support.OnEachDevice.Place;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The fused step beside its oracle, the step of one kernel for each operation. */
@ExtendWith(Emulator.class)
public class FusedStepTest {
  private static final int ROWS = 64;

  /** A training run in all but its data and its place. */
  private record Recipe(
      String network, Loss loss, Optimizer optimizer, int batch, MathMode math, long seed) {

    static Recipe of(String network) {
      return new Recipe(
          network, new SoftmaxCrossEntropy(), Sgd.rate(0.1).momentum(0.9), 24, MathMode.DOUBLE, 1);
    }

    Recipe loss(Loss loss) {
      return new Recipe(network, loss, optimizer, batch, math, seed);
    }

    Recipe optimizer(Optimizer optimizer) {
      return new Recipe(network, loss, optimizer, batch, math, seed);
    }

    Recipe batch(int batch) {
      return new Recipe(network, loss, optimizer, batch, math, seed);
    }

    Recipe math(MathMode math) {
      return new Recipe(network, loss, optimizer, batch, math, seed);
    }

    Recipe seed(long seed) {
      return new Recipe(network, loss, optimizer, batch, math, seed);
    }
  }

  /** Losses of every step, the values at the end, and what the epoch's metrics say. */
  private record Run(double[] losses, double[] values, double accuracy) {
    static Run of(Recipe recipe, Dataset data, Place place, Fusion fusion, int steps) {
      return of(recipe, data, place.open(), fusion, steps);
    }

    /** The same on a device, which this closes. */
    static Run of(Recipe recipe, Dataset data, Device opened, Fusion fusion, int steps) {
      try (Device device = opened) {
        Sequential network = Sequential.parse(recipe.network());
        List<Double> accuracies = new ArrayList<>();
        Trainer trainer =
            Trainer.of(network)
                .on(device)
                .loss(recipe.loss())
                .optimizer(recipe.optimizer())
                .batch(recipe.batch())
                .math(recipe.math())
                .seed(recipe.seed())
                .fusion(fusion);
        double[] losses = new double[steps];
        try (TrainingRun run = trainer.start(data)) {
          assertEquals(fusion == Fusion.ALWAYS, run.isFused());
          for (int step = 0; step < steps; step++) {
            run.step();
            losses[step] = run.loss();
            if (step + 1 == run.stepsPerEpoch()) {
              boolean counts = recipe.loss() instanceof SoftmaxCrossEntropy;
              accuracies.add(counts ? run.measured().accuracy() : Double.NaN);
            }
          }
        }
        Run result =
            new Run(
                losses,
                network.arena().values().toDoubles(),
                accuracies.isEmpty() ? Double.NaN : accuracies.getFirst());
        network.close();
        assertEquals(0, device.memory().live());
        return result;
      }
    }

    /**
     * The largest difference of losses and values, relative to the largest where that is over 1.
     */
    double distance(Run other) {
      return Math.max(distance(losses, other.losses), distance(values, other.values));
    }

    private static double distance(double[] x, double[] y) {
      double size = Math.max(1, Arrays.stream(x).map(Math::abs).max().orElseThrow());
      return IntStream.range(0, x.length)
              .mapToDouble(i -> Math.abs(x[i] - y[i]))
              .max()
              .orElseThrow()
          / size;
    }
  }

  private static Dataset labelled(int columns, int classes) {
    Random random = new Random(5);
    double[][] x = new double[ROWS][];
    int[] labels = new int[ROWS];
    for (int r = 0; r < ROWS; r++) {
      x[r] = random.doubles(columns, -1, 1).toArray();
      labels[r] = random.nextInt(classes);
    }
    return Dataset.of(x, labels, classes);
  }

  private static Dataset valued(int columns, int outputs) {
    Random random = new Random(6);
    double[][] x = new double[ROWS][];
    double[][] y = new double[ROWS][];
    for (int r = 0; r < ROWS; r++) {
      x[r] = random.doubles(columns, -1, 1).toArray();
      y[r] = random.doubles(outputs, -1, 1).toArray();
    }
    return Dataset.of(x, y);
  }

  private static double tolerance(MathMode math) {
    return math == MathMode.DOUBLE ? 1e-11 : 2e-4;
  }

  // 64 rows are two batches of 24 and one of 16
  private static void check(Recipe recipe, Dataset data, Place place, int steps) {
    Run fused = Run.of(recipe, data, place, Fusion.ALWAYS, steps);
    Run plain = Run.of(recipe, data, Place.CPU, Fusion.NEVER, steps);
    double distance = plain.distance(fused);
    assertTrue(
        distance < tolerance(recipe.math()),
        () -> "distance %s on %s: %s".formatted(distance, place, recipe));
    assertEquals(plain.accuracy(), fused.accuracy(), 1e-9, "share of hits of the first epoch");
  }

  static Stream<Arguments> placesAndMath() {
    return Stream.of(Place.values())
        .flatMap(
            place ->
                Stream.of(MathMode.DOUBLE, MathMode.STRICT)
                    .map(math -> Arguments.argumentSet(place + " " + math, place, math)));
  }

  @ParameterizedTest
  @MethodSource("placesAndMath")
  void twentyStepsWithDropoutAgree(Place place, MathMode math) {
    String network =
        "linear(784,100) relu dropout(0.3) linear(100,50) tanh dropout(0.1) linear(50,10)";
    Dataset digits = Digits.generate(ROWS, 3).train();
    check(Recipe.of(network).math(math), digits, place, 20);
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void everyActivationAgrees(Place place) {
    for (Nonlinearity function : Nonlinearity.values()) {
      String f = function.token();
      String network = "linear(5,20) %s linear(20,17) %s dropout(0.2) linear(17,4) %s";
      check(Recipe.of(network.formatted(f, f, f)), labelled(5, 4), place, 6);
    }
  }

  static Stream<Optimizer> optimizers() {
    return Stream.of(
        Sgd.rate(0.1),
        Sgd.rate(0.1).weightDecay(0.01),
        Sgd.rate(0.1).momentum(0.9),
        Sgd.rate(0.1).momentum(0.9).dampening(0.5).weightDecay(0.01),
        Sgd.rate(0.1).momentum(0.9).nesterov(),
        Adam.rate(0.01),
        Adam.rate(0.01).l2(0.01),
        Adam.rate(0.01).weightDecay(0.01).betas(0.8, 0.99));
  }

  @ParameterizedTest
  @MethodSource("optimizers")
  void everyRuleAgrees(Optimizer optimizer) {
    for (Place place : Place.values()) {
      Recipe recipe = Recipe.of("linear(7,33) gelu linear(33,5)").optimizer(optimizer);
      check(recipe, labelled(7, 5), place, 7);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1",
        "1,1",
        "3,1",
        "3,127,3",
        "784,128,2",
        "100,100,100,100",
        "1300,16,15,17,2",
        "31,32,33,128,127,10,11,12,13"
      })
  void anyWidthAndDepthAgrees(String widths) {
    List<Integer> w = Arrays.stream(widths.split(",")).map(Integer::valueOf).toList();
    int columns = w.getFirst();
    int outputs = w.getLast();
    String network =
        IntStream.range(0, Math.max(1, w.size() - 1))
            .mapToObj(
                i ->
                    "linear(%d,%d%s)"
                        .formatted(
                            w.get(i),
                            w.get(Math.min(i + 1, w.size() - 1)),
                            i % 3 == 1 ? ",no_bias" : ""))
            .collect(Collectors.joining(" sigmoid "));
    for (Place place : Place.values()) {
      for (MathMode math : List.of(MathMode.DOUBLE, MathMode.STRICT)) {
        Recipe recipe = Recipe.of(network).math(math).optimizer(Sgd.rate(0.3));
        check(recipe, labelled(columns, outputs), place, 4);
        check(recipe.loss(new MeanSquaredError()), valued(columns, outputs), place, 4);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 15, 33, 64})
  void anyBatchAgrees(int batch) {
    for (Place place : Place.values()) {
      Recipe recipe = Recipe.of("linear(20,31) relu dropout(0.5) linear(31,3)").batch(batch);
      check(recipe, labelled(20, 3), place, 5);
      check(recipe.loss(new SoftmaxCrossEntropy(0.1)), labelled(20, 3), place, 5);
    }
  }

  @Test
  void aFusedRunOfAnotherSeedIsFarOff() {
    Recipe recipe = Recipe.of("linear(20,31) relu dropout(0.5) linear(31,3)");
    Dataset data = labelled(20, 3);
    Run one = Run.of(recipe, data, Place.CPU, Fusion.ALWAYS, 5);
    Run two = Run.of(recipe.seed(2), data, Place.CPU, Fusion.NEVER, 5);
    assertTrue(one.distance(two) > 1e-3);
  }

  @Test
  void aSlightlyOtherRuleIsNoticed() {
    Recipe recipe = Recipe.of("linear(20,31) relu linear(31,3)");
    Dataset data = labelled(20, 3);
    Run one = Run.of(recipe, data, Place.CPU, Fusion.ALWAYS, 5);
    Recipe other = recipe.optimizer(Sgd.rate(0.1).momentum(0.9).weightDecay(1e-6));
    Run two = Run.of(other, data, Place.CPU, Fusion.NEVER, 5);
    assertTrue(one.distance(two) > 100 * tolerance(MathMode.DOUBLE));
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void twoRunsGiveTheSameBits(Place place) {
    for (MathMode math : List.of(MathMode.STRICT, MathMode.FAST)) {
      Recipe recipe = Recipe.of("linear(784,100) relu dropout(0.2) linear(100,10)").math(math);
      Dataset digits = Digits.generate(ROWS, 3).train();
      Run one = Run.of(recipe, digits, place, Fusion.ALWAYS, 8);
      Run two = Run.of(recipe, digits, place, Fusion.ALWAYS, 8);
      assertArrayEquals(one.losses(), two.losses());
      assertArrayEquals(one.values(), two.values());
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"STRICT", "FAST", "DOUBLE"})
  void theNumberOfThreadsDoesNotMatter(MathMode math) {
    Recipe recipe = Recipe.of("linear(784,100) relu dropout(0.2) linear(100,10)").math(math);
    Dataset digits = Digits.generate(ROWS, 3).train();
    Run one = Run.of(recipe, digits, Device.cpu(1), Fusion.ALWAYS, 4);
    for (int count : new int[] {2, 3, 7}) {
      Run more = Run.of(recipe, digits, Device.cpu(count), Fusion.ALWAYS, 4);
      assertArrayEquals(one.losses(), more.losses());
      assertArrayEquals(one.values(), more.values());
    }
  }

  @Test
  void theOrderOfBlocksAndThreadsDoesNotMatter() {
    Recipe recipe = Recipe.of("linear(60,40) relu dropout(0.2) linear(40,10)");
    Dataset data = labelled(60, 10);
    Run one = Run.of(recipe, data, Place.EMULATED_CUDA, Fusion.ALWAYS, 4);
    Emulator.reverse();
    Emulator.exact();
    Run two = Run.of(recipe, data, Place.EMULATED_CUDA, Fusion.ALWAYS, 4);
    assertArrayEquals(one.losses(), two.losses());
    assertArrayEquals(one.values(), two.values());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 13, 60, 1030})
  void everyAccessIsRight(int columns) {
    Emulator.check();
    String network = "linear(%d,21) relu dropout(0.2) linear(21,5)".formatted(columns);
    for (Optimizer optimizer : List.of(Sgd.rate(0.1), Adam.rate(0.1))) {
      Recipe recipe = Recipe.of(network).optimizer(optimizer);
      for (MathMode math : List.of(MathMode.STRICT, MathMode.DOUBLE)) {
        Run.of(recipe.math(math), labelled(columns, 5), Place.EMULATED_CUDA, Fusion.ALWAYS, 4);
      }
      Run.of(
          recipe.loss(new MeanSquaredError()),
          valued(columns, 5),
          Place.EMULATED_CUDA,
          Fusion.ALWAYS,
          4);
    }
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void aLabelOutOfRangeMakesTheLossNaN(Place place) {
    try (Device device = place.open();
        StepState state = new StepState(device, 1, 0.1);
        Sequential network = Sequential.parse("linear(4,8) relu linear(8,3)")) {
      network.on(device);
      Dataset data = labelled(4, 3);
      var settings =
          new TrainingRun.Settings(
              network,
              device,
              MathMode.STRICT,
              new SoftmaxCrossEntropy(),
              List.of(new Accuracy()),
              WantedColumns.of(
                  network, new SoftmaxCrossEntropy(), List.of(new Accuracy()), data, "data"),
              Sgd.rate(0.1),
              Map.of(),
              Map.of(),
              Map.of(),
              new Rates.Schedules(Schedule.CONSTANT, Schedule.CONSTANT, Schedule.CONSTANT),
              8,
              LastBatch.KEEP,
              1,
              Fusion.ALWAYS,
              1,
              DataMemory.HALF_OF_FREE,
              null,
              null,
              List.of());
      BatchOrder order = new BatchOrder(ROWS, 8, LastBatch.KEEP, 1);
      Tensor values = network.arena().values();
      for (int bad : new int[] {0, 3, -1, Integer.MAX_VALUE}) {
        try (ResidentData resident =
                new ResidentData(
                    device,
                    settings.columns().wanted(values.dtype()),
                    data,
                    order,
                    EpochOrder.ASCENDING,
                    null);
            MetricSums metrics =
                new MetricSums(
                    device, values.dtype(), settings.loss(), Map.of(), settings.metrics());
            Updates rule = new Updates(new Groups(network, settings.optimizer(), Map.of()));
            FusedStep fused =
                new FusedStep(
                    settings,
                    new Steps.Parts(
                        device,
                        network,
                        settings.math(),
                        settings.loss(),
                        state,
                        resident,
                        metrics,
                        rule,
                        null),
                    8);
            RecordedStep step =
                new RecordedStep(
                    values, state, Tape.Mode.TRAIN, null, tape -> fused.step(tape, state, 8))) {
          int[] labels = new int[ROWS];
          labels[5] = bad;
          resident.sources.get(Inputs.TARGETS).tensor().copyFrom(MemorySegment.ofArray(labels));
          state.set(1, 0, 0, 0, 0);
          resident.moveTo(0, 0, state);
          step.run();
          assertEquals(bad != 0, Double.isNaN(step.result().item()), "label " + bad);
        }
      }
    }
  }

  @Test
  void memoryIsThatOfFourNumbersForEachOutput() {
    int rows = 2_000;
    int batch = 500;
    try (Device device = Device.cpu()) {
      Sequential network = Sequential.parse("linear(784,128) relu linear(128,64)");
      try (TrainingRun run =
          Trainer.of(network)
              .on(device)
              .optimizer(Sgd.rate(0.1))
              .batch(batch)
              .fusion(Fusion.ALWAYS)
              .start(Digits.generate(rows, 1).train())) {
        run.step();
        // values, gradients, and W in another form
        long parameters = 4L * network.size() * 3;
        long data = rows * (784L + 4 + 4);
        long activations = 4L * batch * (784 + 4 * 128 + 3 * 64);
        double ratio = device.memory().peak() / (double) (parameters + data + activations);
        assertTrue(ratio > 0.9 && ratio < 1.1, () -> "ratio " + ratio);
      }
      network.close();
    }
  }

  /** Rounding weights to 8 bits of fraction changes a loss by about 2^-8 of it. */
  @ParameterizedTest
  @EnumSource(Place.class)
  void fastStepsAreCloseToStrictOnes(Place place) {
    for (int columns : new int[] {784, 33}) {
      Recipe recipe =
          Recipe.of(
                  "linear(%d,101) relu dropout(0.2) linear(101,49) linear(49,7)".formatted(columns))
              .math(MathMode.FAST)
              .batch(columns == 33 ? 21 : 24)
              .optimizer(Sgd.rate(0.05));
      Dataset data = labelled(columns, 7);
      Run fast = Run.of(recipe, data, place, Fusion.ALWAYS, 6);
      Run strict = Run.of(recipe.math(MathMode.STRICT), data, Place.CPU, Fusion.NEVER, 6);
      double distance = strict.distance(fast);
      assertTrue(distance < 0.02, () -> "distance " + distance);
    }
  }

  /** Whose arithmetic a call says it has is what its ceiling is taken for. */
  @ParameterizedTest
  @EnumSource(Place.class)
  void fusedKernelsOfAGpuStayInFloat32(Place place) {
    try (Device device = place.open();
        Sequential network = Sequential.parse("linear(4,8) relu linear(8,3)");
        TrainingRun run =
            Trainer.of(network)
                .on(device)
                .math(MathMode.FAST)
                .batch(8)
                .fusion(Fusion.ALWAYS)
                .start(labelled(4, 3))) {
      boolean fast = place == Place.CPU;
      run.first().calls().forEach(call -> assertEquals(fast, call.isFast()));
    }
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  void stepsAreFusedByThemselvesWhereThatWasMeasuredToPay(Place place) {
    boolean pays = place != Place.CPU || !CpuLibrary.get().isa().equals("baseline");
    try (Device device = place.open()) {
      int most = place == Place.CPU ? 512 : 1024;
      assertEquals(pays, FusedStep.isFaster(device, DType.F32, most));
      assertFalse(FusedStep.isFaster(device, DType.F32, most + 1));
      assertFalse(FusedStep.isFaster(device, DType.F64, 1));
      for (MathMode math : List.of(MathMode.STRICT, MathMode.DOUBLE)) {
        try (Sequential network = Sequential.parse("linear(4,8) relu linear(8,3)");
            TrainingRun run =
                Trainer.of(network).on(device).math(math).batch(8).start(labelled(4, 3))) {
          assertEquals(math == MathMode.STRICT && pays, run.isFused());
        }
      }
    }
  }

  @Test
  void rowsTrainedOnAreThoseOfTheEpoch() {
    try (Device device = Device.cpu();
        Sequential network = Sequential.parse("linear(4,8) relu linear(8,3)");
        TrainingRun run = Trainer.of(network).on(device).batch(24).start(labelled(4, 3))) {
      List<Long> rows = new ArrayList<>();
      for (int step = 0; step < 2 * run.stepsPerEpoch(); step++) {
        run.step();
        Evaluation trained = run.measured();
        rows.add(trained.rows());
        assertTrue(trained.loss() > 0.3, trained::toString); // ln 3 at first
      }
      assertEquals(List.of(24L, 48L, 64L, 24L, 48L, 64L), rows);
    }
  }

  /** One epoch of 784-100-100-10. */
  @Test
  void mnistIsLearnedAsWellAsByTheStepOfManyKernels() throws IOException {
    String folder = System.getenv("WEFT_DATA");
    assumeTrue(
        folder != null && !folder.isEmpty(),
        "WEFT_DATA is not set; it names the folder with mnist/");
    Split mnist = Idx.read(Path.of(folder, "mnist"));
    double plain = accuracy(mnist, MathMode.STRICT, Fusion.NEVER);
    double fused = accuracy(mnist, MathMode.STRICT, Fusion.ALWAYS);
    double fast = accuracy(mnist, MathMode.FAST, Fusion.ALWAYS);
    System.out.printf("MNIST: %.4f, fused %.4f, fused and fast %.4f%n", plain, fused, fast);
    assertTrue(plain > 0.95);
    // the standard deviation of a share of 0.96 of 10,000 is 0.002
    assertEquals(plain, fused, 0.005);
    assertEquals(plain, fast, 0.005);
  }

  private static double accuracy(Split data, MathMode math, Fusion fusion) {
    try (Device device = Device.cpu();
        Sequential network =
            Sequential.parse("linear(784,100) relu linear(100,100) relu linear(100,10)")) {
      Trainer trainer =
          Trainer.of(network)
              .on(device)
              .optimizer(Sgd.rate(0.05).momentum(0.9))
              .batch(64)
              .math(math)
              .fusion(fusion);
      return trainer.fit(data.train(), data.test(), 1).last().test().accuracy();
    }
  }

  @Test
  void whatCannotBeFusedIsNamed() {
    assertObstacle("linear(4,129) relu linear(129,3)", new SoftmaxCrossEntropy(), "wider");
    assertObstacle("relu linear(4,3)", new SoftmaxCrossEntropy(), "relu stands where");
    assertObstacle("dropout(0.1) linear(4,3)", new SoftmaxCrossEntropy(), "dropout(0.1) stands");
    assertObstacle("linear(4,3) dropout(0.1) relu", new SoftmaxCrossEntropy(), "relu stands");
    assertObstacle("linear(4,3)", new SumOfSquares(), "sum_of_squares");
    assertObstacle(
        "linear(4,3)", new MeanSquaredError().sampleWeights("weight"), "rows that count alike");
    Loss loss = new SoftmaxCrossEntropy();
    assertObstacle("linear(4,3)", loss, t -> t.optimizer(Sgd.rate(0.1).l1(0.1)), "knows no L1");
    assertObstacle("linear(4,3)", loss, t -> t.optimizer(Adam.rate(0.1).l1(0.1)), "knows no L1");
    assertObstacle("linear(4,3)", loss, t -> t.maxNorm(1), "bounds no norms");
  }

  private static void assertObstacle(String network, Loss loss, String part) {
    assertObstacle(network, loss, trainer -> {}, part);
  }

  private static void assertObstacle(
      String network, Loss loss, Consumer<Trainer> setting, String part) {
    Dataset given = loss instanceof SoftmaxCrossEntropy ? labelled(4, 3) : valued(4, 3);
    Map<String, Column> columns = new LinkedHashMap<>(given.columns());
    double[] weights = new double[given.rows()];
    Arrays.fill(weights, 2);
    columns.put("weight", Column.of(weights));
    Dataset data = Dataset.of(columns);
    try (Device device = Device.cpu()) {
      Trainer trainer = Trainer.of(Sequential.parse(network)).on(device).loss(loss).batch(8);
      setting.accept(trainer);
      Exception e =
          assertThrows(
              IllegalArgumentException.class,
              () -> trainer.fusion(Fusion.ALWAYS).start(data).close());
      assertTrue(e.getMessage().contains(part), e.getMessage());
      try (TrainingRun run = trainer.fusion(Fusion.AUTO).start(data)) {
        assertFalse(run.isFused());
        run.step();
        assertTrue(Double.isFinite(run.loss()));
      }
    }
  }
}
