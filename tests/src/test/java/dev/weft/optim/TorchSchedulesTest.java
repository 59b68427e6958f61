// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.support.NamedNumbers;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Schedules have the factors that PyTorch's schedulers wrote, by epoch and by update. */
class TorchSchedulesTest {
  private static final NamedNumbers TORCH = new NamedNumbers("schedules/schedules.txt");
  private static final int EPOCHS = 4;
  private static final int UPDATES = 5;
  private static final double TOLERANCE = 1e-12;

  private static final Map<String, Schedule> CASES = new TreeMap<>();

  static {
    CASES.put("cosine", Schedule.cosine(EPOCHS));
    CASES.put("cosine_down_to", Schedule.cosine(EPOCHS).downTo(0.1));
    CASES.put("linear", Schedule.linear(EPOCHS));
    CASES.put("polynomial", Schedule.polynomial(EPOCHS, 2.5));
    CASES.put("steps", Schedule.steps(2, 0.5));
    CASES.put("multi_step", Schedule.multiStep(0.2, 1, 3));
    CASES.put("exponential", Schedule.exponential(0.8));
    CASES.put("restarts", Schedule.cosineRestarts(2, 1));
    CASES.put("restarts_grow", Schedule.cosineRestarts(1, 2));
    OneCycle cycle = Schedule.oneCycle(EPOCHS).rise(0.5);
    OneCycle set = cycle.first(0.1).last(0.001);
    CASES.put("one_cycle_cos", cycle);
    CASES.put("one_cycle_linear", cycle.linear());
    CASES.put("one_cycle_set_cos", set);
    CASES.put("one_cycle_set_linear", set.linear());
    CASES.put(
        "then",
        Schedule.exponential(0.8)
            .then(2, (update, epochs) -> 0.25 + 0.75 * Math.min(1, epochs / 2)));
    CASES.put("times", Schedule.exponential(0.8).times(Schedule.linear(EPOCHS)));
    CASES.put("warm_up", Schedule.CONSTANT.warmUp(8));
    CASES.put("warm_up_from", Schedule.CONSTANT.warmUp(8, 0.2));
    CASES.put("inverse_square_root", Schedule.inverseSquareRoot(6));
  }

  static Stream<String> names() {
    return CASES.keySet().stream();
  }

  private static double[] factors(Schedule schedule, int count, int ofEpoch) {
    return IntStream.range(0, count)
        .mapToDouble(u -> schedule.factor(u, u / ofEpoch + (double) (u % ofEpoch) / ofEpoch))
        .toArray();
  }

  private static void assertAgrees(double[] expected, Schedule schedule, int ofEpoch) {
    assertArrayEquals(expected, factors(schedule, expected.length, ofEpoch), TOLERANCE);
  }

  @ParameterizedTest
  @MethodSource("names")
  void factorsAreThoseOfPyTorch(String name) {
    double[] updates = TORCH.of(name + ".update");
    assertTrue(updates.length >= (EPOCHS - 1) * UPDATES, name);
    assertAgrees(updates, CASES.get(name), UPDATES);
    if (TORCH.has(name + ".epoch")) {
      assertAgrees(TORCH.of(name + ".epoch"), CASES.get(name), 1);
    }
    Schedule wrong = CASES.get(name).times((update, epochs) -> 1 + 1e-9 * update);
    assertThrows(AssertionError.class, () -> assertAgrees(updates, wrong, UPDATES));
  }

  @Test
  void momentumFallsWhereTheRateRises() {
    OneCycle cycle = Schedule.oneCycle(EPOCHS).rise(0.5);
    double least = 0.85 / 0.95;
    double[] cos = TORCH.of("one_cycle_momentum_cos");
    assertAgrees(cos, cycle.momentum(least), UPDATES);
    assertAgrees(TORCH.of("one_cycle_momentum_linear"), cycle.linear().momentum(least), UPDATES);
    assertEquals(least, cos[2 * UPDATES], TOLERANCE, "at the peak of the rate");
  }

  /** Smith's and PyTorch's settings, where nothing is told. */
  @Test
  void oneCycleBeginsAndEndsAsInPyTorch() {
    OneCycle cycle = Schedule.oneCycle(10);
    assertEquals(0.04, cycle.factor(0, 0), TOLERANCE);
    assertEquals(1, cycle.factor(30, 3), TOLERANCE);
    assertEquals(0.04 / 1e4, cycle.factor(100, 10), TOLERANCE);
    assertEquals(0.04 / 1e4, cycle.factor(200, 20), TOLERANCE, "and stays there");
  }

  /** 0.3 / 0.1 is less than 3: what begins after k updates begins there, whatever an epoch has. */
  @Test
  void partsOfAnEpochEndWithTheirUpdate() {
    for (int ofEpoch : new int[] {3, 7, 10, 100, 469}) {
      for (int k = 1; k < 2 * ofEpoch; k++) {
        int every = k;
        double part = (double) every / ofEpoch;
        long[] first = {-1};
        Schedule then =
            Schedule.CONSTANT.then(
                part,
                (update, epochs) -> {
                  first[0] = first[0] < 0 ? update : first[0];
                  assertTrue(epochs >= 0);
                  return 0;
                });
        double[] steps = factors(Schedule.steps(part, 0.9), 4 * ofEpoch, ofEpoch);
        double[] stone = factors(Schedule.multiStep(0.9, part), 4 * ofEpoch, ofEpoch);
        double[] restarts = factors(Schedule.cosineRestarts(part, 1), 4 * ofEpoch, ofEpoch);
        double[] growing = factors(Schedule.cosineRestarts(part, 2), 4 * ofEpoch, ofEpoch);
        double[] both = factors(then, 4 * ofEpoch, ofEpoch);
        for (int u = 0; u < 4 * ofEpoch; u++) {
          String at = "update " + u + ", " + every + " of " + ofEpoch;
          int start = 0;
          int length = every;
          while (u >= start + length) {
            start += length;
            length *= 2;
          }
          assertEquals(Math.pow(0.9, u / every), steps[u], TOLERANCE, at);
          assertEquals(u < every ? 1 : 0.9, stone[u], TOLERANCE, at);
          assertEquals(cosine(u % every, every), restarts[u], TOLERANCE, at);
          assertEquals(cosine(u - start, length), growing[u], TOLERANCE, at);
          assertEquals(u < every ? 1 : 0, both[u], at);
        }
        assertEquals(0, first[0], "the first update of what follows");
      }
    }
  }

  private static double cosine(int update, int updates) {
    return (1 + Math.cos(Math.PI * update / updates)) / 2;
  }

  /** What follows has its own count of updates and epochs, wherever an epoch's updates end. */
  @Test
  void whatFollowsCountsFromItsStart() {
    for (double change : new double[] {0.3, 1, 1.5, 2}) {
      for (int ofEpoch : new int[] {1, 3, 7, 10, 469}) {
        long[] first = {-1};
        Schedule other =
            (update, epochs) -> {
              first[0] = first[0] < 0 ? update : first[0];
              assertTrue(epochs >= 0 && epochs < 3, () -> "epochs " + epochs);
              return update + epochs;
            };
        Schedule both = Schedule.CONSTANT.then(change, other);
        double[] factors = factors(both, 3 * ofEpoch, ofEpoch);
        int begins = (int) Math.ceil(change * ofEpoch - 1e-9);
        assertEquals(0, first[0], "the first update that it is asked for");
        for (int u = begins; u < factors.length; u++) {
          double epochs = u / ofEpoch + (double) (u % ofEpoch) / ofEpoch - change;
          assertEquals(u - begins + epochs, factors[u], 1e-9, "update " + u);
        }
      }
    }
  }
}
