// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.support.Philox;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** By hand, by differences and by backpropagation: the three agree, and a slip by hand is found. */
class ThreeWaysTest {

  static List<ThreeWays> cases() {
    return ThreeWaysCases.all();
  }

  private static ThreeWays.Result compare(ThreeWays each) {
    try (Device device = Device.cpu()) {
      return each.compare(device);
    }
  }

  private static double[][] byHand(ThreeWays each) {
    double[][] in = new double[each.inputs().size()][];
    for (int i = 0; i < in.length; i++) {
      in[i] = each.inputs().get(i).values(each.seed() + i);
    }
    return each.byHand().of(in);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void allThreeAgree(ThreeWays each) {
    ThreeWays.Result result = compare(each);
    assertEquals(Verdict.OK, result.verdict(), result::toString);
    assertTrue(result.elements() > 0);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aWrongSignByHandIsFoundForEveryInput(ThreeWays each) {
    for (int i = 0; i < each.inputs().size(); i++) {
      if (!each.inputs().get(i).hasGradient() || isZero(byHand(each)[i])) {
        continue;
      }
      int input = i;
      ThreeWays wrong =
          new ThreeWays(
              each.name(),
              each.formula(),
              each.function(),
              each.inputs(),
              in -> {
                double[][] hand = each.byHand().of(in);
                hand[input] = hand[input].clone();
                for (int k = 0; k < hand[input].length; k++) {
                  hand[input][k] *= -1;
                }
                return hand;
              },
              each.seed());
      ThreeWays.Result result = compare(wrong);
      assertEquals(Verdict.WRONG, result.verdict());
      assertTrue(result.handAndDifferences() > 0.5 && result.handAndBackward() > 0.5);
      assertTrue(result.differencesAndBackward() < 1e-7, "the other two still agree");
    }
  }

  private static boolean isZero(double[] values) {
    for (double value : values) {
      if (value != 0) {
        return false;
      }
    }
    return true;
  }

  @Test
  void aFunctionThatBackpropagatesWronglyIsFound() {
    ThreeWays detached =
        new ThreeWays(
            "x², of which a factor is held",
            "2x",
            (t, in) -> t.multiply(in[0], t.withoutGradient(() -> t.scale(in[0], 1))),
            List.of(Input.of(3.0)),
            in -> new double[][] {{2 * in[0][0]}},
            1);
    ThreeWays.Result result = compare(detached);
    assertEquals(Verdict.WRONG, result.verdict());
    assertTrue(result.handAndDifferences() < 1e-9 && result.handAndBackward() > 0.4);
  }

  @Test
  void theNumbersOfTheLecturesComeOut() {
    assertArrayEquals(new double[][] {{16}, {16}}, byHand(named("(x + y) x y²")));
    assertArrayEquals(new double[][] {{-4}, {-4}, {3}}, byHand(named("(x + y) z")));
    assertArrayEquals(new double[][] {{-2}, {-4}, {5}}, byHand(named("c (a + 2b)")));
    double[][] logistic = byHand(named("logistic regression: -log a, a = σ(w·x + b)"));
    assertArrayEquals(new double[] {-1.5, -1}, logistic[0]);
    assertArrayEquals(new double[] {-0.5}, logistic[2]);
  }

  private static ThreeWays named(String name) {
    return cases().stream().filter(each -> each.name().equals(name)).findFirst().orElseThrow();
  }

  @Test
  void theMaskOfDropoutIsTheLectures() {
    double[] factors = Philox.dropoutFactors(ThreeWaysCases.KEPT_DROPPED_KEPT, 0, 0, 3, 0.3);
    assertArrayEquals(new double[] {1 / 0.7, 0, 1 / 0.7}, factors, 1e-15);
  }

  @Test
  void whatCannotBeComparedIsRefused() {
    ThreeWays vector =
        new ThreeWays(
            "2x",
            "2",
            (t, in) -> t.scale(in[0], 2),
            List.of(Input.of(1, 2)),
            in -> new double[][] {{2, 2}},
            1);
    String said = assertThrows(IllegalArgumentException.class, () -> compare(vector)).getMessage();
    assertEquals("2x: the gradient of a scalar is compared, not of [2]", said);
    ThreeWays longer =
        new ThreeWays(
            "Σ 2x",
            "2",
            (t, in) -> t.sum(t.scale(in[0], 2)),
            List.of(Input.of(1, 2)),
            in -> new double[][] {{2}},
            1);
    said = assertThrows(IllegalArgumentException.class, () -> compare(longer)).getMessage();
    assertEquals("Σ 2x: the formula gives 1 elements for input 0, which has 2", said);
  }
}
