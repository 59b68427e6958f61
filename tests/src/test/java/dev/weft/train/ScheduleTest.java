// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.optim.Schedule;
import dev.weft.support.OnEachDevice;
import dev.weft.support.OnEachDevice.Place;
import dev.weft.train.ListenerTest.SetToRate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** The rate of each update, as a rule sees it on the device, is that of the schedule's formula. */
class ScheduleTest {
  private static final double BASE = 0.5;
  private static final int EPOCHS = 4;

  /** The rates that updates had, by a rule that sets the parameters to them. */
  private static final class Seen {
    private final List<Double> rates = new ArrayList<>();

    Trainer trainer(Script script, Schedule schedule) {
      return script
          .trainer
          .math(MathMode.DOUBLE)
          .optimizer(new SetToRate(BASE))
          .schedule(schedule)
          .onStep(1, run -> rates.add(script.parameters()[0]));
    }
  }

  private static double cosine(double epochs) {
    return epochs >= 3 ? 0 : (1 + Math.cos(Math.PI * epochs / 3)) / 2;
  }

  /** Each schedule and, beside it, its rates worked out here, for updates that an epoch has. */
  private record Case(Schedule schedule, double[] rates) {
    static List<Case> all(int updates) {
      List<Case> cases = new ArrayList<>();
      for (int s = 0; s < 6; s++) {
        double[] rates = new double[EPOCHS * updates];
        for (int u = 0; u < rates.length; u++) {
          double epochs = (double) u / updates;
          rates[u] =
              BASE
                  * switch (s) {
                    case 0 -> 1;
                    case 1 -> cosine(epochs);
                    case 2 -> Math.max(0, 1 - epochs / 2.5);
                    case 3 -> Math.pow(0.5, Math.floor(epochs / 1.5));
                    case 4 -> cosine(epochs) * Math.min(1, (u + 1) / 5.0);
                    default -> 1 / (1 + 0.1 * epochs + u);
                  };
        }
        Schedule schedule =
            switch (s) {
              case 0 -> Schedule.CONSTANT;
              case 1 -> Schedule.cosine(3);
              case 2 -> Schedule.linear(2.5);
              case 3 -> Schedule.steps(1.5, 0.5);
              case 4 -> Schedule.cosine(3).warmUp(5);
              default -> (update, passes) -> 1 / (1 + 0.1 * passes + update);
            };
        cases.add(new Case(schedule, rates));
      }
      return cases;
    }
  }

  @OnEachDevice
  void everyUpdateHasTheRateOfTheFormula(Place place) {
    for (Case each : Case.all(Script.STEPS)) {
      try (Device device = place.open();
          Script script = new Script(device, null, 0)) {
        Seen seen = new Seen();
        History history = seen.trainer(script, each.schedule()).fit(Script.DATA, EPOCHS);
        assertRates(each.rates(), seen.rates);
        double last = each.rates()[Script.STEPS - 1];
        assertEquals(last, history.epochs().getFirst().rate(), 1e-15, "that of the last update");
      }
    }
  }

  private static void assertRates(double[] expected, List<Double> seen) {
    double[] rates = seen.stream().mapToDouble(Double::doubleValue).toArray();
    assertArrayEquals(expected, rates, 1e-15);
  }

  /** Stopped after any number of steps and gone on with, also by another trainer's run. */
  @OnEachDevice
  void ratesGoOnWithinAnEpoch(Place place) {
    Case each = Case.all(Script.STEPS).get(4);
    try (Device device = place.open();
        Script script = new Script(device, null, 0)) {
      Seen seen = new Seen();
      Trainer trainer = seen.trainer(script, each.schedule());
      trainer.onStep(
          1,
          run -> {
            if (run.position().step() % 2 == 0 || run.position().step() % 3 == 0) {
              run.stop("enough");
            }
            assertEquals(
                run.position().step() == each.rates().length
                    ? BASE * each.schedule().factor(run.position().step(), EPOCHS)
                    : each.rates()[(int) run.position().step()],
                run.nextRate(),
                1e-15);
          });
      while (trainer.position().epoch() < EPOCHS) {
        trainer.fit(Script.DATA, 1);
      }
      assertRates(each.rates(), seen.rates);
    }
  }

  /** Three batches by two are two updates: the rate moves with those. */
  @OnEachDevice
  void ratesMoveWithUpdates(Place place) {
    for (Case each : Case.all(2)) {
      try (Device device = place.open();
          Script script = new Script(device, null, 0)) {
        Seen seen = new Seen();
        seen.trainer(script, each.schedule()).accumulate(2).fit(Script.DATA, EPOCHS);
        List<Double> updates = new ArrayList<>();
        for (int step = 0; step < seen.rates.size(); step++) {
          if (step % 3 != 0) {
            updates.add(seen.rates.get(step));
          } else if (step > 0) {
            assertEquals(seen.rates.get(step - 1), seen.rates.get(step), "no update");
          }
        }
        assertRates(each.rates(), updates);
      }
    }
  }

  /** The schedule is a factor of what a listener sets, and of a group's own rate. */
  @Test
  void aScheduleIsAFactorOfAnyRate() {
    try (Device device = Device.cpu();
        Script script = new Script(device, null, 0)) {
      Seen seen = new Seen();
      List<Double> bias = new ArrayList<>();
      seen.trainer(script, Schedule.linear(4))
          .group("*.bias", new SetToRate(BASE / 4))
          .onStep(
              1,
              run -> {
                bias.add(run.network().named().get("0.bias").tensor().toDoubles()[0]);
                if (run.position().step() == 2) {
                  run.rate(1);
                }
              })
          .fit(Script.DATA, 2);
      double[] expected = new double[2 * Script.STEPS];
      Arrays.setAll(expected, u -> (u < 2 ? BASE : 1) * (1 - u / 12.0));
      assertRates(expected, seen.rates);
      assertRates(Arrays.stream(expected).map(rate -> rate / 4).toArray(), bias);
    }
  }

  @Test
  void aFactorThatIsNoneIsRefused() {
    for (double none : new double[] {Double.NaN, -0.1, Double.POSITIVE_INFINITY}) {
      try (Device device = Device.cpu();
          Script script = new Script(device, null, 0)) {
        Trainer trainer = script.trainer.schedule((update, epochs) -> update == 4 ? none : 1);
        String said =
            assertThrows(IllegalArgumentException.class, () -> trainer.fit(Script.DATA, 3))
                .getMessage();
        assertEquals(
            "the schedule's factor for update 4, after 1.333 epochs, is "
                + none
                + ": it must be finite and at least 0",
            said);
        assertEquals(Script.STEPS, trainer.position().step(), "said before the epoch that has it");
        trainer.schedule(Schedule.CONSTANT).fit(Script.DATA, 1);
      }
    }
  }

  @Test
  void aFactorThatIsNoneAtAnEpochsEndIsRefusedBeforeTheFirstStep() {
    Schedule late = (update, epochs) -> epochs < 2 ? 1 : Double.NaN;
    try (Device device = Device.cpu();
        Script script = new Script(device, null, 0)) {
      Trainer trainer = script.trainer.schedule(late);
      String said =
          assertThrows(IllegalArgumentException.class, () -> trainer.fit(Script.DATA, 3))
              .getMessage();
      assertTrue(said.contains("for update 6, after 2.000 epochs"), said);
      assertEquals(0, trainer.position().step());
    }
  }

  @Test
  void schedulesThatAreNoneAreRefused() {
    List<Supplier<Schedule>> none =
        List.of(
            () -> Schedule.cosine(0),
            () -> Schedule.linear(Double.NaN),
            () -> Schedule.steps(-1, 0.5),
            () -> Schedule.steps(Double.POSITIVE_INFINITY, 0.5),
            () -> Schedule.steps(1, 0),
            () -> Schedule.steps(1, Double.NaN),
            () -> Schedule.polynomial(1, 0),
            () -> Schedule.multiStep(0.5),
            () -> Schedule.multiStep(-1, 3),
            () -> Schedule.multiStep(0.5, 0, 3),
            () -> Schedule.exponential(Double.NaN),
            () -> Schedule.cosineRestarts(0, 1),
            () -> Schedule.cosineRestarts(1, 0.5),
            () -> Schedule.oneCycle(-1),
            () -> Schedule.inverseSquareRoot(0),
            () -> Schedule.cosine(1).then(0, Schedule.CONSTANT),
            () -> Schedule.cosine(1).warmUp(0, 0.5),
            () -> Schedule.cosine(1).warmUp(0));
    for (Supplier<Schedule> each : none) {
      String said = assertThrows(IllegalArgumentException.class, each::get).getMessage();
      assertTrue(said.contains("positive") || said.contains("at least 1"), said);
    }
  }

  @Test
  void settingsOfSchedulesThatAreNoneAreNamed() {
    Map<String, Supplier<Schedule>> none =
        Map.of(
            "milestones must grow, and 2.0 stands behind 2.0",
            () -> Schedule.multiStep(0.5, 1, 2, 2),
            "the least factor of the rate must be in [0, 1), not 1.0",
            () -> Schedule.cosine(1).downTo(1),
            "the factor that a warm-up begins with must be in [0, 1), not -0.1",
            () -> Schedule.cosine(1).warmUp(3, -0.1),
            "a rate rises over a share of the cycle in (0, 1), not 1.0",
            () -> Schedule.oneCycle(3).rise(1),
            "a cycle begins with a factor in (0, 1] and ends with one in [0, 1], not with 2.0 and"
                + " 4.0E-6",
            () -> Schedule.oneCycle(3).first(2),
            "the least factor of the momentum must be in [0, 1), not NaN",
            () -> Schedule.oneCycle(3).momentum(Double.NaN));
    none.forEach(
        (said, each) ->
            assertEquals(
                said, assertThrows(IllegalArgumentException.class, each::get).getMessage()));
  }
}
