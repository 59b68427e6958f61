// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.train.Script.DATA;
import static dev.weft.train.Script.STEPS;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.data.Dataset;
import dev.weft.nn.Network;
import dev.weft.optim.Adam;
import dev.weft.optim.Optimizer;
import dev.weft.optim.Update;
import dev.weft.support.OnEachDevice;
import dev.weft.support.OnEachDevice.Place;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What listeners see, and what they may do to a run. */
class ListenerTest {
  private static final Dataset TEST = DATA.slice(0, 2);

  @TempDir private Path folder;

  private enum Hook {
    START,
    STEP,
    EPOCH,
    END
  }

  /** A listener that does one thing in all hooks. */
  private record All(BiConsumer<Hook, TrainingRun> action) implements Listener {
    @Override
    public void onStart(TrainingRun run) {
      action.accept(Hook.START, run);
    }

    @Override
    public int every() {
      return 1;
    }

    @Override
    public void onStep(TrainingRun run) {
      action.accept(Hook.STEP, run);
    }

    @Override
    public void onEpoch(TrainingRun run, History.Epoch epoch) {
      action.accept(Hook.EPOCH, run);
    }

    @Override
    public void onEnd(TrainingRun run) {
      action.accept(Hook.END, run);
    }
  }

  @SuppressWarnings("unchecked") // so that a checked one can be thrown where none is declared
  static <E extends Throwable> void thrown(Throwable e) throws E {
    throw (E) e;
  }

  @OnEachDevice
  void whatAListenerThrowsArrivesAndNothingElseStays(Place place) {
    for (Hook hook : Hook.values()) {
      for (Throwable failure :
          List.of(new IllegalStateException(), new AssertionError(), new IOException())) {
        try (Device device = place.open();
            Script script = new Script(device, EarlyStopping.lowest(Script.METRIC), 0.5, 0.4)) {
          script.network.on(device, MathMode.STRICT);
          long before = device.memory().live();
          boolean[] failing = {true};
          List<TrainingRun> runs = new ArrayList<>();
          Trainer trainer = script.trainer.optimizer(Adam.rate(0.01));
          trainer.listener(
              new All(
                  (now, run) -> {
                    runs.add(run);
                    if (now == hook && failing[0]) {
                      ListenerTest.<RuntimeException>thrown(failure);
                    }
                  }));
          assertSame(
              failure,
              assertThrows(Throwable.class, () -> trainer.fit(DATA, TEST, 1)),
              () -> hook + "");
          assertEquals(0, failure.getSuppressed().length);
          long steps = hook == Hook.START ? 0 : hook == Hook.STEP ? 1 : STEPS;
          assertEquals(steps, trainer.position().step());
          String said =
              assertThrows(IllegalStateException.class, runs.getFirst()::step).getMessage();
          assertEquals("the training run is closed", said);
          script.network.scores(new double[][] {{1}});
          failing[0] = false;
          assertEquals(2, trainer.fit(DATA, TEST, 2).epochs().size());
          trainer.reset();
          assertEquals(before, device.memory().live());
        }
      }
    }
  }

  /**
   * tensorflow/tensorflow #41174: a stop from anywhere counts, and the hooks of the end run once.
   */
  @OnEachDevice
  void aStopIsObeyedAfterTheStep(Place place) {
    record Case(Hook hook, int call, long steps, int epochs, int evaluations) {}
    for (Case each :
        List.of(
            new Case(Hook.START, 1, 0, 0, 0),
            new Case(Hook.STEP, 2, 2, 1, 0),
            new Case(Hook.STEP, STEPS, STEPS, 1, 1),
            new Case(Hook.STEP, STEPS + 1, STEPS + 1, 2, 1),
            new Case(Hook.EPOCH, 2, 2 * STEPS, 2, 2),
            new Case(Hook.END, 1, 4 * STEPS, 4, 4))) {
      try (Device device = place.open();
          Script script = new Script(device, null, 0.5)) {
        int[] calls = new int[Hook.values().length];
        script.trainer.listener(
            new All(
                (now, run) -> {
                  if (++calls[now.ordinal()] == each.call() && now == each.hook()) {
                    run.stop("first");
                    run.stop("second");
                  }
                }));
        History history = script.trainer.fit(DATA, TEST, 4);
        boolean over = each.hook() == Hook.END;
        assertEquals(over ? "all epochs up to 4 are done" : "first", history.ended());
        assertEquals(each.steps(), script.trainer.position().step(), each::toString);
        assertEquals(each.steps(), calls[Hook.STEP.ordinal()]);
        assertEquals(each.epochs(), history.epochs().size());
        assertEquals(each.epochs(), calls[Hook.EPOCH.ordinal()]);
        // one reading of the training sums an epoch, and one an evaluation
        assertEquals(each.epochs() + each.evaluations(), script.measured());
        assertEquals(1, calls[Hook.START.ordinal()]);
        assertEquals(1, calls[Hook.END.ordinal()]);
        if (each.epochs() == 0) {
          assertEquals(0, history.best());
          assertThrows(NoSuchElementException.class, history::bestEpoch);
        }
        // Lightning-AI/pytorch-lightning #18727: a stop is that of one run
        script.trainer.fit(DATA, 1);
        assertTrue(script.trainer.position().step() > each.steps());
      }
    }
  }

  @Test
  void aRunThatIsSteppedByHandNeedsNoListener() {
    try (Device device = Device.cpu();
        Script script = new Script(device, null, 0.5);
        TrainingRun run = script.trainer.start(DATA)) {
      assertThrows(IllegalStateException.class, run::measured);
      run.step();
      assertEquals(1, run.measured().rows());
    }
  }

  @Test
  void manyThatReadWhatWasMeasuredWaitOnce() {
    try (Device device = Device.cpu();
        Script script = new Script(device, null, 0.5)) {
      List<Evaluation> read = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        script.trainer.onStep(1, run -> read.add(run.measured()));
      }
      script.trainer.fit(DATA, 2);
      assertEquals(3 * 2 * STEPS, read.size());
      assertEquals(
          2 * STEPS, script.measured(), "the epoch's own reading is that of its last step");
      assertEquals(
          List.of(1L, 1L, 1L, 2L, 2L, 2L),
          read.subList(0, 6).stream().map(Evaluation::rows).toList());
    }
  }

  @OnEachDevice
  void aRateThatAListenerSetsActsFromTheNextUpdateOn(Place place) {
    try (Device device = place.open();
        Script script = new Script(device, null, 0.5)) {
      List<Double> rates = new ArrayList<>();
      Trainer trainer = script.trainer.math(MathMode.DOUBLE).optimizer(new SetToRate(0.25));
      trainer.onStep(
          1,
          run -> {
            rates.add(script.parameters()[0]);
            if (run.position().step() == 2) {
              run.rate(0.125);
              assertEquals(0.125, run.rate());
            }
            for (double none : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
              assertThrows(IllegalArgumentException.class, () -> run.rate(none));
            }
          });
      History history = trainer.fit(DATA, 1);
      assertEquals(List.of(0.25, 0.25, 0.125), rates);
      assertEquals(0.125, history.last().rate());
      // to later runs, from the first step on
      trainer.fit(DATA, 1);
      assertEquals(List.of(0.125, 0.125, 0.125), rates.subList(3, 6));
      // until a rule is given, or training starts anew
      trainer.optimizer(new SetToRate(0.5)).fit(DATA, 1);
      assertEquals(List.of(0.5, 0.5, 0.5), rates.subList(6, 9));
      trainer.reset().fit(DATA, 1);
      trainer.reset().fit(DATA, 1);
      assertEquals(List.of(0.5, 0.5, 0.125, 0.5, 0.5, 0.125), rates.subList(9, 15));
    }
  }

  /** Sets all parameters to the rate of the update, so that a test can read it. */
  record SetToRate(double rate) implements Optimizer {
    @Override
    public List<String> memory() {
      return List.of();
    }

    @Override
    public void update(Update u) {
      var o = u.operations();
      o.assign(u.values(), o.add(o.scale(u.gradient(), 0), u.rate()));
    }
  }

  @Test
  void whatAListenerSavesIsTheNetworkAsItIs() throws IOException {
    try (Device device = Device.cpu();
        Script script = new Script(device, null, 0.5)) {
      Path file = folder.resolve("second.safetensors");
      double[][] seen = new double[2][];
      script.trainer.onEpoch(
          (run, epoch) -> {
            if (epoch.number() == 2) {
              seen[0] = run.network().scores(new double[][] {{3}})[0];
              try {
                run.save(file);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            }
          });
      script.trainer.fit(DATA, 3);
      try (Network saved = Network.load(file).on(device, MathMode.STRICT)) {
        assertArrayEquals(seen[0], saved.scores(new double[][] {{3}})[0]);
        assertFalse(seen[0][0] == script.network.scores(new double[][] {{3}})[0][0]);
      }
    }
  }

  /** Over all epochs and fits; a number that is none is refused. */
  @Test
  void stepsAreCountedFromTheFirst() {
    try (Device device = Device.cpu();
        Script script = new Script(device, null, 0.5)) {
      List<Long> steps = new ArrayList<>();
      List<Integer> within = new ArrayList<>();
      script.trainer.onStep(
          2,
          run -> {
            steps.add(run.position().step());
            within.add(run.stepOfEpoch());
          });
      script.trainer.fit(DATA, 1);
      script.trainer.fit(DATA, 2);
      assertEquals(List.of(2L, 4L, 6L, 8L), steps);
      assertEquals(List.of(2, 1, 3, 2), within);
      assertThrows(IllegalArgumentException.class, () -> script.trainer.onStep(0, run -> {}));
    }
  }

  /**
   * Lightning-AI/pytorch-lightning #657: hooks are the same in the same order, whatever ended it.
   */
  @Test
  void hooksComeInOneOrder() {
    EarlyStopping patient = EarlyStopping.lowest(Script.METRIC).patience(3);
    List<String> planned = trace(null, 4, Long.MAX_VALUE);
    assertEquals(
        List.of("START 1/0", "STEP 1/1", "STEP 1/2", "STEP 1/3", "EPOCH 1/3", "STEP 2/1"),
        planned.subList(0, 6));
    assertEquals(List.of("EPOCH 4/3", "END 4/3"), planned.subList(16, 18));
    assertEquals(planned, trace(patient, 9, Long.MAX_VALUE), "ended by patience after 4");
    assertEquals(planned, trace(null, 9, 4 * STEPS), "ended by a listener");
  }

  private static List<String> trace(EarlyStopping stopping, int epochs, long stop) {
    List<String> trace = new ArrayList<>();
    try (Device device = Device.cpu();
        Script script = new Script(device, stopping, 0.5)) {
      script.trainer.listener(
          new All(
              (hook, run) -> {
                trace.add(hook + " " + run.epoch() + "/" + run.stepOfEpoch());
                if (run.position().step() == stop) {
                  run.stop("enough");
                }
              }));
      script.trainer.fit(DATA, epochs);
    }
    return trace;
  }

  /** scikit-learn/scikit-learn #6091, skorch-dev/skorch #349: another rate keeps the moments. */
  @Test
  void anotherRateKeepsWhatTheOptimizerRemembers() {
    double[][] ends = new double[2][];
    for (int i = 0; i < 2; i++) {
      try (Device device = Device.cpu();
          Script script = new Script(device, null, 0.5)) {
        Trainer trainer = script.trainer.optimizer(Adam.rate(0.1));
        if (i == 0) {
          trainer.onStep(
              1,
              run -> {
                if (run.position().step() == STEPS) {
                  run.rate(0.01);
                }
              });
          trainer.fit(DATA, 2);
        } else {
          trainer.fit(DATA, 1);
          trainer.optimizer(Adam.rate(0.01)).fit(DATA, 1);
        }
        assertEquals(2L * STEPS, trainer.position().update());
        ends[i] = script.parameters();
      }
    }
    assertArrayEquals(ends[0], ends[1]);
  }
}
