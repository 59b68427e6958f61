// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ToySetsTest {
  @Test
  void xorIsTheFourCorners() {
    Dataset xor = ToySets.xor();
    assertEquals(4, xor.rows());
    assertEquals(2, xor.classes());
    for (int row = 0; row < 4; row++) {
      int a = (int) xor.features().get(row, 0);
      int b = (int) xor.features().get(row, 1);
      assertEquals(a ^ b, xor.targets().get(row, 0));
    }
  }

  @Test
  void noLineIsRightOnMoreThanThreeCornersOfXor() {
    Dataset xor = ToySets.xor();
    int best = 0;
    for (int angle = 0; angle < 360; angle++) {
      for (double bias = -2; bias <= 2; bias += 0.05) {
        int right = 0;
        for (int row = 0; row < 4; row++) {
          double score =
              Math.cos(Math.toRadians(angle)) * xor.features().get(row, 0)
                  + Math.sin(Math.toRadians(angle)) * xor.features().get(row, 1)
                  + bias;
          right += (score > 0 ? 1 : 0) == xor.targets().get(row, 0) ? 1 : 0;
        }
        best = Math.max(best, right);
      }
    }
    assertEquals(3, best);
  }

  @Test
  void circlesWithoutNoiseHaveTheirRadius() {
    Dataset circles = ToySets.circles(50, 0, 3);
    for (int row = 0; row < 50; row++) {
      assertEquals(circles.targets().get(row, 0) == 0 ? 1 : 0.5, radius(circles, row), 1e-6);
    }
    assertNotEquals(1, radius(ToySets.circles(50, 0.1, 3), 0), 1e-6);
  }

  @Test
  void moonsWithoutNoiseAreHalfCircles() {
    Dataset moons = ToySets.moons(50, 0, 3);
    for (int row = 0; row < 50; row++) {
      double x = moons.features().get(row, 0);
      double y = moons.features().get(row, 1);
      boolean first = moons.targets().get(row, 0) == 0;
      assertEquals(1, first ? Math.hypot(x, y) : Math.hypot(x - 1, y - 0.5), 1e-6);
      assertTrue(first ? y >= -1e-6 : y <= 0.5 + 1e-6);
    }
  }

  @Test
  void spiralsWindOnce() {
    Dataset spirals = ToySets.spirals(90, 3, 0, 3);
    for (int row = 0; row < 90; row++) {
      double along = (radius(spirals, row) - 0.1) / 0.9;
      double angle = 2 * Math.PI * (along + spirals.targets().get(row, 0) / 3.0);
      assertEquals(Math.cos(angle) * radius(spirals, row), spirals.features().get(row, 0), 1e-5);
    }
  }

  @Test
  void blobsSpreadAroundTheirCentres() {
    int n = 3_000;
    Dataset blobs = ToySets.blobs(n, 3, 0.5, 3);
    double squares = 0;
    for (int row = 0; row < n; row++) {
      double angle = 2 * Math.PI * blobs.targets().get(row, 0) / 3;
      double dx = blobs.features().get(row, 0) - 3 * Math.cos(angle);
      double dy = blobs.features().get(row, 1) - 3 * Math.sin(angle);
      squares += dx * dx + dy * dy;
    }
    assertEquals(0.5, Math.sqrt(squares / (2 * n)), 0.02);
    assertEquals(3, blobs.classes());
  }

  @Test
  void pointsDependOnTheSeedAlone() {
    assertArrayEquals(point(ToySets.moons(10, 0.2, 1)), point(ToySets.moons(20, 0.2, 1)));
    assertNotEquals(point(ToySets.moons(10, 0.2, 1))[0], point(ToySets.moons(10, 0.2, 2))[0]);
  }

  @Test
  void sizesThatMakeNoSetAreAnError() {
    assertThrows(IllegalArgumentException.class, () -> ToySets.moons(1, 0.1, 1));
    assertThrows(IllegalArgumentException.class, () -> ToySets.blobs(10, 0, 0.1, 1));
    assertThrows(IllegalArgumentException.class, () -> ToySets.circles(10, -1, 1));
    assertThrows(IllegalArgumentException.class, () -> ToySets.circles(10, Double.NaN, 1));
  }

  private static double[] point(Dataset data) {
    return new double[] {data.features().get(0, 0), data.features().get(0, 1)};
  }

  private static double radius(Dataset data, int row) {
    return Math.hypot(data.features().get(row, 0), data.features().get(row, 1));
  }
}
