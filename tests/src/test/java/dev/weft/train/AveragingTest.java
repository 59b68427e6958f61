// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.data.BatchOrder;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.data.LastBatch;
import dev.weft.data.ToySets;
import dev.weft.nn.Activation;
import dev.weft.nn.BatchNorm;
import dev.weft.nn.Dropout;
import dev.weft.nn.Embedding;
import dev.weft.nn.Flatten;
import dev.weft.nn.Initializers;
import dev.weft.nn.Linear;
import dev.weft.nn.Network;
import dev.weft.nn.Sequential;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.optim.Adam;
import dev.weft.optim.Schedule;
import dev.weft.optim.Sgd;
import dev.weft.support.OnEachDevice;
import dev.weft.support.OnEachDevice.Place;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Averages of weights against plain loops in float64, and what they are used for.
 *
 * <p>This class is long because all that may happen to a run, a stop, a move, another rule, an
 * evaluation, may happen with the average inside the network or outside.
 */
class AveragingTest {
  private static final Dataset DATA = ToySets.moons(50, 0.2, 1);
  private static final Dataset MORE = ToySets.moons(30, 0.2, 2);
  private static final double DECAY = 0.9;
  @TempDir private Path folder;

  private static Sequential network() {
    return Sequential.of(
        new Linear(2, 6), new BatchNorm(6), Activation.TANH, new Dropout(0.2), new Linear(6, 2));
  }

  private static Trainer trainer(Network network, Device device, Averaging averaging) {
    return Trainer.of(network)
        .on(device)
        .math(MathMode.DOUBLE)
        .optimizer(Adam.rate(0.01))
        .batch(16)
        .averaging(averaging);
  }

  /** All values by name, those of buffers too. */
  private static Map<String, double[]> values(Network network) {
    Map<String, double[]> values = new HashMap<>();
    network
        .named()
        .forEach((name, each) -> values.put(name, network.arena().values(each).toDoubles()));
    return values;
  }

  private static void assertSame(
      Map<String, double[]> expected, Map<String, double[]> actual, double tolerance) {
    assertEquals(expected.keySet(), actual.keySet());
    expected.forEach((name, v) -> assertArrayEquals(v, actual.get(name), tolerance, name));
  }

  private static boolean areSame(Map<String, double[]> one, Map<String, double[]> other) {
    return one.keySet().stream().allMatch(name -> Arrays.equals(one.get(name), other.get(name)));
  }

  /** An average in a plain loop, of what the network has after each update. */
  private static final class Plain {
    final Map<String, double[]> average = new HashMap<>();
    final List<Map<String, double[]>> seen = new ArrayList<>();
    private final double decay;
    private long updates;

    Plain(Trainer trainer, double decay) {
      this.decay = decay;
      trainer.onStep(
          1,
          run -> {
            if (run.position().update() > updates) {
              updates = run.position().update();
              add(values(run.network()));
            }
          });
    }

    private void add(Map<String, double[]> now) {
      seen.add(now);
      now.forEach(
          (name, v) -> {
            double[] a = average.computeIfAbsent(name, n -> v.clone());
            for (int i = 0; i < v.length; i++) {
              a[i] = decay * a[i] + (1 - decay) * v[i];
            }
          });
    }
  }

  @OnEachDevice
  void exponentialIsThatOfAPlainLoop(Place place) {
    for (int accumulated : new int[] {1, 3}) {
      try (Device device = place.open();
          Sequential network = network()) {
        Trainer trainer =
            trainer(network, device, Averaging.exponential(DECAY)).accumulate(accumulated);
        Plain plain = new Plain(trainer, DECAY);
        Plain wrong = new Plain(trainer, 0.91);
        trainer.fit(DATA, 3);
        assertSame(plain.average, values(network), 1e-12);
        assertThrows(AssertionError.class, () -> assertSame(wrong.average, values(network), 1e-4));
        assertFalse(areSame(plain.seen.getLast(), values(network)), "not what training has");
      }
    }
  }

  /** The weights that training goes on with are the bits of a run without an average. */
  @OnEachDevice
  void trainingGoesOnWithItsOwn(Place place) {
    List<List<Map<String, double[]>>> seen = new ArrayList<>();
    Averaging[] ways = {null, Averaging.exponential(DECAY), Averaging.stochastic(2)};
    for (Averaging way : ways) {
      try (Device device = place.open();
          Sequential network = network()) {
        Trainer trainer = trainer(network, device, way);
        seen.add(new Plain(trainer, DECAY).seen);
        trainer.fit(DATA, MORE, 3);
        trainer.fit(DATA, MORE, 1);
      }
    }
    assertEquals(16, seen.getFirst().size());
    for (int i = 0; i < 16; i++) {
      assertTrue(areSame(seen.get(0).get(i), seen.get(1).get(i)), "update " + i);
      assertTrue(areSame(seen.get(0).get(i), seen.get(2).get(i)), "update " + i);
    }
  }

  @OnEachDevice
  void aFusedStepIsAveragedToo(Place place) {
    try (Device device = place.open();
        Sequential network = Sequential.parse("linear(2,16) relu dropout(0.1) linear(16,2)")) {
      Trainer trainer =
          trainer(network, device, Averaging.exponential(DECAY))
              .math(MathMode.STRICT)
              .fusion(Fusion.ALWAYS);
      Plain plain = new Plain(trainer, DECAY);
      trainer.onStep(1, run -> assertTrue(run.isFused()));
      trainer.fit(DATA, 3);
      assertSame(plain.average, values(network), 1e-6);
    }
  }

  /** A step has one kernel more, behind its update, and one for each buffer; the fused one too. */
  @Test
  void itCostsOneKernelAStep() {
    for (Fusion fusion : List.of(Fusion.NEVER, Fusion.ALWAYS)) {
      assertEquals(1, kernels("linear(2,16) relu linear(16,2)", fusion));
    }
    assertEquals(3, kernels("linear(2,16) batch_norm(16) relu linear(16,2)", Fusion.NEVER));
  }

  private static int kernels(String layers, Fusion fusion) {
    int[] calls = new int[2];
    for (int i = 0; i < 2; i++) {
      try (Device device = Device.cpu();
          Sequential network = Sequential.parse(layers);
          TrainingRun run =
              trainer(network, device, i == 0 ? null : Averaging.exponential(DECAY))
                  .fusion(fusion)
                  .start(DATA)) {
        calls[i] = run.first().calls().size();
      }
    }
    return calls[1] - calls[0];
  }

  /** Under BF16 layers see a rounded copy, which is that of the average. */
  @OnEachDevice
  void theRoundedCopyIsThatOfTheAverage(Place place) throws Exception {
    try (Device device = place.open();
        Sequential network = network()) {
      Trainer trainer = trainer(network, device, Averaging.exponential(DECAY)).math(MathMode.BF16);
      Plain plain = new Plain(trainer, DECAY);
      trainer.fit(DATA, 3);
      assertSame(plain.average, values(network), 1e-5);
      Path file = folder.resolve("average.safetensors");
      network.save(file);
      try (Network again = Network.load(file).on(device, MathMode.BF16)) {
        assertArrayEquals(again.scores(MORE), network.scores(MORE));
      }
    }
  }

  /** Epoch by epoch, and stopped within one, it is the average of a run that never stopped. */
  @OnEachDevice
  void goingOnHasTheBitsOfARunThatNeverStopped(Place place) {
    for (Averaging way : List.of(Averaging.exponential(DECAY), Averaging.stochastic(2))) {
      List<Map<String, double[]>> ends = new ArrayList<>();
      for (int cut = 0; cut < 4; cut++) {
        try (Device device = place.open();
            Sequential network = network()) {
          Trainer trainer = trainer(network, device, way);
          if (cut == 0) {
            trainer.fit(DATA, 4);
          } else if (cut == 1) {
            for (int epoch = 0; epoch < 4; epoch++) {
              trainer.fit(DATA, MORE, 1);
            }
          } else {
            int stop = cut == 2 ? 6 : 10;
            trainer.onStep(
                1,
                run -> {
                  if (run.position().step() == stop) {
                    run.stop("here");
                  }
                });
            trainer.fit(DATA, 4);
            while (trainer.position().epoch() < 4) {
              trainer.fit(DATA, 1);
            }
          }
          ends.add(values(network));
        }
      }
      for (int cut = 1; cut < ends.size(); cut++) {
        assertTrue(areSame(ends.getFirst(), ends.get(cut)), way + " cut " + cut);
      }
    }
  }

  /** Another group or math mode lays the memory out anew: weights and average move along. */
  @OnEachDevice
  void theAverageMovesWithTheNetwork(Place place) {
    try (Device device = place.open();
        Device other = Device.cpu();
        Sequential network = network()) {
      Trainer trainer = trainer(network, device, Averaging.exponential(DECAY));
      Plain plain = new Plain(trainer, DECAY);
      trainer.fit(DATA, 2);
      trainer.group("*.bias", Adam.rate(0.02)).fit(DATA, 1);
      assertSame(plain.average, values(network), 1e-12);
      trainer.on(other).fit(DATA, 1);
      assertSame(plain.average, values(network), 1e-12);
      trainer.optimizer(Sgd.rate(0.1)).fit(DATA, 1); // another rule, which remembers nothing
      assertSame(plain.average, values(network), 1e-12);
    }
  }

  /** Frozen weights stay; of a table the rows that no step used are averaged along. */
  @OnEachDevice
  void frozenWeightsAndTables(Place place) {
    int[][] ids = new int[40][3];
    int[] labels = new int[40];
    for (int r = 0; r < ids.length; r++) {
      for (int i = 0; i < 3; i++) {
        ids[r][i] = (r * 7 + i * 3) % 9; // of 12: three rows are never used
      }
      labels[r] = r % 2;
    }
    Dataset words = Dataset.of(Column.ids(ids, 12), Column.ids(labels, 2));
    try (Device device = place.open();
        Sequential network =
            Sequential.of(
                new Embedding(12, 4, Initializers.normal(0, 1), Embedding.Gradient.ROWS),
                new Flatten(),
                new Linear(12, 5),
                Activation.TANH,
                new Linear(5, 2))) {
      network.freeze("2.*");
      Trainer trainer = trainer(network, device, Averaging.exponential(DECAY));
      Plain plain = new Plain(trainer, DECAY);
      trainer.fit(words, 3);
      assertSame(plain.average, values(network), 1e-12);
      assertArrayEquals(plain.seen.getFirst().get("2.weight"), values(network).get("2.weight"));
      assertFalse(
          Arrays.equals(plain.seen.getFirst().get("0.table"), values(network).get("0.table")));
    }
  }

  /** The mean of the ends of epochs 2 to 4, and batch norm's statistics of a pass with it. */
  @OnEachDevice
  void stochasticIsTheMeanOfEpochsAndBatchNormIsRenewed(Place place) {
    try (Device device = place.open();
        Sequential network =
            Sequential.of(new Linear(2, 6), new BatchNorm(6), Activation.TANH, new Linear(6, 2))) {
      Trainer trainer = trainer(network, device, Averaging.stochastic(2));
      List<Map<String, double[]>> ends = new ArrayList<>();
      trainer.onEpoch((run, epoch) -> ends.add(values(run.network())));
      trainer.fit(DATA, MORE, 4);
      Map<String, double[]> mean = new HashMap<>(ends.get(1));
      mean.replaceAll(
          (name, v) -> {
            double[] m = new double[v.length];
            for (int i = 0; i < m.length; i++) {
              m[i] = (v[i] + ends.get(2).get(name)[i] + ends.get(3).get(name)[i]) / 3;
            }
            return m;
          });
      Map<String, double[]> running = statistics(mean, 3);
      mean.putAll(running);
      assertSame(mean, values(network), 1e-12);
      double[] ofTraining = ends.get(3).get("1.running_mean");
      assertTrue(
          Math.abs(running.get("1.running_mean")[0] - ofTraining[0]) > 1e-4,
          "not those of training");
    }
  }

  /** Mean and variance of the first layer's outputs: the means over the batches of an epoch. */
  private static Map<String, double[]> statistics(Map<String, double[]> weights, long epoch) {
    BatchOrder order = new BatchOrder(DATA.rows(), 16, LastBatch.KEEP, 1);
    MemorySegment rows = order.epoch(epoch);
    double[][] x = rows();
    double[] w = weights.get("0.weight");
    double[] b = weights.get("0.bias");
    double[] means = new double[6];
    double[] variances = new double[6];
    for (int batch = 0; batch < order.batches(); batch++) {
      int n = order.rowsIn(batch);
      for (int c = 0; c < 6; c++) {
        double sum = 0;
        double squares = 0;
        for (int i = 0; i < n; i++) {
          double[] row = x[rows.getAtIndex(ValueLayout.JAVA_INT, batch * 16L + i)];
          double y = row[0] * w[c] + row[1] * w[6 + c] + b[c];
          sum += y;
          squares += y * y;
        }
        means[c] += sum / n / order.batches();
        variances[c] += (squares - sum * sum / n) / (n - 1) / order.batches();
      }
    }
    return Map.of("1.running_mean", means, "1.running_variance", variances);
  }

  private static double[][] rows() {
    try (Device device = Device.cpu();
        Sequential same = Sequential.of(Activation.named("identity")).on(device, MathMode.DOUBLE)) {
      return same.scores(DATA);
    }
  }

  /** Streamed data bring the same bits, also where the average is asked for within an epoch. */
  @OnEachDevice
  void streamedDataMakeNoDifference(Place place) {
    List<Map<String, double[]>> ends = new ArrayList<>();
    for (boolean streamed : new boolean[] {false, true}) {
      try (Device device = place.open();
          Sequential network = network()) {
        Trainer trainer = trainer(network, device, Averaging.stochastic(1)).batch(8);
        if (streamed) {
          trainer.dataMemory(2 * 8 * 24);
        }
        trainer.onStep(
            1,
            run -> {
              if (run.position().step() == 10) {
                ends.add(averaged(run));
              }
            });
        trainer.fit(DATA, 3);
        ends.add(values(network));
      }
    }
    assertTrue(areSame(ends.get(0), ends.get(2)));
    assertTrue(areSame(ends.get(1), ends.get(3)));
    assertFalse(areSame(ends.get(0), ends.get(1)));
  }

  private static Map<String, double[]> averaged(TrainingRun run) {
    run.takeAverage();
    return values(run.network()); // the next step gives back what training has
  }

  /** Evaluations and files are of the average; a run tells both. */
  @OnEachDevice
  void theAverageIsEvaluatedAndSaved(Place place) throws Exception {
    Path file = folder.resolve("run.safetensors");
    for (Averaging way : List.of(Averaging.exponential(DECAY), Averaging.stochastic(1))) {
      try (Device device = place.open();
          Sequential network = network();
          TrainingRun run = trainer(network, device, way).start(DATA, MORE)) {
        assertEquals(
            run.evaluate(), run.evaluateUnaveraged(), "before the first step they are one");
        for (int step = 0; step < 2 * run.stepsPerEpoch(); step++) {
          run.step();
        }
        double loss = run.loss();
        Map<String, double[]> trained = values(network);
        Evaluation average = run.evaluate();
        Evaluation unaveraged = run.evaluateUnaveraged();
        assertNotEquals(average, unaveraged);
        run.save(file);
        assertTrue(areSame(trained, values(network)), "the network is as it was");
        assertEquals(loss, run.loss());
        assertEquals(unaveraged, evaluation(network));
        run.takeAverage();
        assertEquals(average, evaluation(network));
        assertEquals(average, run.evaluate());
        assertEquals(unaveraged, run.evaluateUnaveraged());
        assertEquals(average, run.evaluate());
        try (Network saved = Network.load(file).on(device, MathMode.DOUBLE)) {
          assertEquals(average, evaluation(saved));
        }
        run.step();
        assertFalse(areSame(trained, values(network)));
      }
    }
  }

  private static Evaluation evaluation(Network network) {
    try (var evaluator = new Evaluator(network, new SoftmaxCrossEntropy(), MORE, 16)) {
      return evaluator.evaluate();
    }
  }

  /** Until its first epoch has ended a mean of epochs is the weights themselves. */
  @Test
  void beforeItBeginsThereIsNone() {
    try (Device device = Device.cpu();
        Sequential network = network()) {
      Trainer trainer = trainer(network, device, Averaging.stochastic(3));
      trainer.onEpoch(
          (run, epoch) ->
              assertEquals(
                  epoch.number() < 4, run.evaluate().equals(run.evaluateUnaveraged()), "" + epoch));
      // the first average is one epoch's, but for batch norm
      Sequential plain = Sequential.parse("linear(2,3) tanh linear(3,2)");
      Trainer without = trainer(plain, device, Averaging.stochastic(3));
      List<Boolean> same = new ArrayList<>();
      without.onEpoch((run, epoch) -> same.add(run.evaluate().equals(run.evaluateUnaveraged())));
      without.fit(DATA, MORE, 4);
      assertEquals(List.of(true, true, true, false), same);
      plain.close();
      trainer.fit(DATA, MORE, 2);
    }
  }

  /** What comes back is the average of the best epoch; training goes on from its own weights. */
  @OnEachDevice
  void earlyStoppingWatchesAndGivesBackTheAverage(Place place) {
    try (Device device = place.open();
        Sequential network = network()) {
      Trainer trainer =
          trainer(network, device, Averaging.exponential(0.7))
              .schedule(Schedule.steps(2, 100)) // which spoils it
              .earlyStopping(EarlyStopping.lowest("loss").patience(2));
      List<Map<String, double[]>> trained = new ArrayList<>();
      trainer.onEpoch((run, epoch) -> trained.add(values(run.network())));
      History history = trainer.fit(DATA, MORE, 9);
      assertTrue(history.best() < history.last().number(), history::toString);
      assertEquals(history.bestEpoch().test(), evaluation(network));
      try (TrainingRun run = trainer.earlyStopping(null).start(DATA, MORE)) {
        assertEquals(history.bestEpoch().test(), run.evaluate());
        run.evaluateUnaveraged();
        assertTrue(areSame(trained.getLast(), values(network)));
      }
    }
  }

  @OnEachDevice
  void memoryIsThatOfTheWeightsOnceMore(Place place) {
    try (Device device = place.open();
        Sequential network =
            Sequential.parse("linear(2,1400) relu linear(1400,1400) relu linear(1400,2)")) {
      Dataset few = DATA.slice(0, 16);
      network.seed(1).on(device, MathMode.DOUBLE);
      Trainer trainer = trainer(network, device, null).optimizer(Sgd.rate(0.01));
      trainer.fit(few, 1);
      long before = device.memory().live();
      trainer.averaging(Averaging.exponential(DECAY)).fit(few, 1);
      long weights = network.size() * Double.BYTES;
      long taken = device.memory().live() - before;
      assertTrue(taken > weights && taken < 1.3 * weights, taken + " for " + weights);
      trainer.averaging(null).fit(few, 1);
      assertEquals(before, device.memory().live());
      trainer.averaging(Averaging.stochastic(1)).fit(few, 1);
      trainer.reset();
      assertEquals(before, device.memory().live());
    }
  }

  /** Without an average training goes on from its own weights; after a reset, from the average. */
  @Test
  void whatTrainingGoesOnFrom() {
    try (Device device = Device.cpu();
        Sequential network = network()) {
      Trainer trainer = trainer(network, device, Averaging.exponential(DECAY));
      Plain plain = new Plain(trainer, DECAY);
      trainer.fit(DATA, 2);
      Map<String, double[]> average = values(network);
      trainer.averaging(null).start(DATA).close();
      assertTrue(areSame(plain.seen.getLast(), values(network)));
      trainer.averaging(Averaging.exponential(DECAY)).fit(DATA, 1);
      average = values(network);
      trainer.reset();
      trainer.start(DATA).close();
      assertTrue(areSame(average, values(network)));
    }
  }

  /** What somebody has put into the network is not taken for the average, nor lost unsaid. */
  @Test
  void anAverageThatWasChangedIsSaid() throws Exception {
    try (Device device = Device.cpu();
        Sequential network = network()) {
      Trainer trainer = trainer(network, device, Averaging.exponential(DECAY));
      trainer.fit(DATA, 1);
      Path file = folder.resolve("values.safetensors");
      network.saveValues(file);
      network.scores(MORE);
      trainer.fit(DATA, 1);
      network.loadValues(file);
      Map<String, double[]> loaded = values(network);
      String said =
          assertThrows(IllegalStateException.class, () -> trainer.fit(DATA, 1)).getMessage();
      assertTrue(said.contains("was changed since training left it"), said);
      assertTrue(areSame(loaded, values(network)));
      trainer.reset().fit(DATA, 1);
      network.on(device); // elsewhere, with the average
      said = assertThrows(IllegalStateException.class, () -> trainer.fit(DATA, 1)).getMessage();
      assertTrue(said.contains("average of the weights"), said);
    }
  }

  /** Before the first average there is none that could have been changed. */
  @Test
  void weightsThatWereChangedBeforeAnAverageAreSaid() throws Exception {
    try (Device device = Device.cpu();
        Sequential network = network()) {
      Trainer trainer = trainer(network, device, Averaging.stochastic(5));
      trainer.fit(DATA, 1);
      network.arena().values().fill(0.5);
      String said =
          assertThrows(IllegalStateException.class, () -> trainer.fit(DATA, 1)).getMessage();
      assertTrue(said.startsWith("the weights of the network were changed since"), said);
      assertFalse(said.contains("average"), said);
    }
  }

  /** A run that is refused leaves the average where it was. */
  @Test
  void aRefusedRunLeavesTheAverage() {
    try (Device device = Device.cpu();
        Sequential network = network()) {
      Trainer trainer = trainer(network, device, Averaging.exponential(DECAY));
      trainer.fit(DATA, 1);
      Map<String, double[]> average = values(network);
      assertThrows(
          IllegalArgumentException.class, () -> trainer.fusion(Fusion.ALWAYS).fit(DATA, 1));
      assertTrue(areSame(average, values(network)));
      Dataset one = DATA.slice(0, 33); // its last batch has one row, which batch norm refuses
      assertThrows(IllegalArgumentException.class, () -> trainer.fusion(Fusion.NEVER).fit(one, 1));
      assertTrue(areSame(average, values(network)));
      trainer.schedule((update, epochs) -> epochs < 3 ? 1 : Double.NaN);
      assertThrows(IllegalArgumentException.class, () -> trainer.fit(DATA, 2));
      assertTrue(areSame(average, values(network)));
    }
  }

  /** Half of what training goes on from would be in no file. */
  @Test
  void theOptimizersFileIsRefusedBesideAnAverage() throws Exception {
    try (Device device = Device.cpu();
        Sequential network = network()) {
      Trainer trainer = trainer(network, device, Averaging.exponential(DECAY));
      trainer.fit(DATA, 1);
      Path file = folder.resolve("optimizer.safetensors");
      String said =
          assertThrows(IllegalStateException.class, () -> trainer.saveOptimizer(file)).getMessage();
      assertTrue(said.startsWith("an average of the weights is kept"), said);
      assertFalse(Files.exists(file));
      trainer.averaging(null).fit(DATA, 1);
      trainer.saveOptimizer(file);
    }
  }

  @Test
  void settingsThatAreNoneAreRefused() {
    List<Supplier<Averaging>> wrong =
        List.of(
            () -> Averaging.exponential(0),
            () -> Averaging.exponential(1),
            () -> Averaging.exponential(Double.NaN),
            () -> Averaging.stochastic(0));
    for (Supplier<Averaging> each : wrong) {
      assertThrows(IllegalArgumentException.class, each::get);
    }
    assertEquals("ema(0.999)", Averaging.exponential(0.999).spec());
    assertEquals("swa(5)", Averaging.stochastic(5).spec());
  }
}
