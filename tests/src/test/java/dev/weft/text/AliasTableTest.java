// SPDX-License-Identifier: Apache-2.0
package dev.weft.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class AliasTableTest {
  /** The probabilities with which a table draws, without drawing. */
  private static double[] probabilities(AliasTable table) {
    int n = table.size();
    double[] drawn = new double[n];
    for (int x = 0; x < n; x++) {
      double own = Integer.toUnsignedLong(table.thresholds()[x]) * 0x1p-32;
      drawn[x] += own / n;
      drawn[table.aliases()[x]] += (1 - own) / n;
    }
    return drawn;
  }

  private static void assertDraws(double[] weights) {
    double[] drawn = probabilities(AliasTable.of(weights));
    double sum = Arrays.stream(weights).sum();
    for (int i = 0; i < weights.length; i++) {
      double wanted = weights[i] / sum;
      int at = i;
      assertEquals(wanted, drawn[i], 1e-6 * wanted + 0x1p-33, () -> "weight " + at);
      assertTrue(weights[at] > 0 || drawn[at] == 0, "a weight of 0 is drawn");
    }
  }

  @Test
  void probabilitiesAreThoseOfTheWeights() {
    assertDraws(new double[] {1});
    assertDraws(new double[] {1, 0, 3});
    assertDraws(new double[] {1e-300, 1e-300});
    assertDraws(new double[] {0, 0, 7, 0});
    SplittableRandom random = new SplittableRandom(3);
    for (int n : new int[] {2, 3, 1_000, 100_000}) {
      assertDraws(random.doubles(n).toArray());
      double[] zipf = new double[n];
      Arrays.setAll(zipf, i -> Math.pow(1e6 / (i + 1), 0.75));
      assertDraws(zipf);
      Arrays.setAll(zipf, i -> 1);
      assertDraws(zipf);
    }
  }

  /** The weights of a table of which one threshold is off are others. */
  @Test
  void aWrongThresholdIsNoticed() {
    AliasTable table = AliasTable.of(1, 2, 3);
    int column = table.aliases()[0] == 0 ? 1 : 0;
    table.thresholds()[column] ^= 1 << 16;
    double drawn = probabilities(table)[column];
    assertTrue(Math.abs(drawn - (column + 1) / 6.0) > 1e-6);
  }

  /** 0.9^0.75 = 0.924, 0.09^0.75 = 0.164, 0.01^0.75 = 0.0316. */
  @Test
  void noiseIsThatOfTheLecture() {
    Vocabulary vocabulary = Vocabulary.of(List.of("a", "b", "c"), 90, 9, 1);
    double[] drawn = probabilities(AliasTable.noise(vocabulary, 0.75));
    double sum = 0.924 + 0.164 + 0.0316;
    assertArrayEquals(new double[] {0.924 / sum, 0.164 / sum, 0.0316 / sum}, drawn, 5e-4);
    assertArrayEquals(
        new double[] {0.9, 0.09, 0.01}, probabilities(AliasTable.noise(vocabulary, 1)), 1e-9);
  }

  private static void assertRefused(String what, double... weights) {
    String said =
        assertThrows(IllegalArgumentException.class, () -> AliasTable.of(weights)).getMessage();
    assertTrue(said.contains(what), said);
  }

  @Test
  void weightsThatAreNoDistributionAreRefused() {
    assertRefused("0 weights add up to 0.0");
    assertRefused("2 weights add up to 0.0", 0, 0);
    assertRefused("weight 1 is -1.0", 2, -1);
    assertRefused("weight 0 is NaN", Double.NaN);
    assertRefused("weight 1 is Infinity", 0, Double.POSITIVE_INFINITY);
    assertRefused("add up to Infinity", Double.MAX_VALUE, Double.MAX_VALUE);
    Vocabulary words = Vocabulary.of(List.of("a", "b"), 0, 0);
    String said =
        assertThrows(IllegalArgumentException.class, () -> AliasTable.noise(words, 0.75))
            .getMessage();
    assertTrue(said.startsWith("the vocabulary has no counts"), said);
  }

  @Test
  void aTableIsMadeOfAnothersArrays() {
    AliasTable table = AliasTable.of(5, 0, 1, 3);
    AliasTable again = AliasTable.of(table.thresholds(), table.aliases());
    assertArrayEquals(table.thresholds(), again.thresholds());
    assertArrayEquals(table.aliases(), again.aliases());
    int[] two = {0, 0};
    assertThrows(IllegalArgumentException.class, () -> AliasTable.of(two, new int[] {0}));
    assertThrows(IllegalArgumentException.class, () -> AliasTable.of(two, new int[] {0, 2}));
  }
}
