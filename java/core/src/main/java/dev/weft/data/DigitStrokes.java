// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How the ten digits are written: for each digit several ways, each a list of strokes, each a list
 * of points in the unit square (x to the right, y down) that a smooth curve passes through.
 */
final class DigitStrokes {
  /** A stroke: its points, and at which of them the pen turns sharply. */
  record Stroke(double[] x, double[] y, boolean[] corner) {}

  // One line for one way to write a digit. "/" lifts the pen, "!" after a point makes it a corner.
  private static final String WAYS =
      """
      0: .50 .08, .28 .22, .21 .50, .28 .78, .50 .92, .72 .78, .79 .50, .72 .22, .50 .08
      0: .58 .10, .36 .20, .30 .48, .32 .76, .48 .90, .65 .76, .70 .48, .64 .22, .52 .10
      0: .60 .14, .36 .12, .22 .36, .22 .66, .40 .88, .64 .84, .78 .60, .74 .30, .54 .10, .40 .16
      1: .50 .08, .50 .36, .50 .64, .50 .92
      1: .36 .26, .54 .08!, .52 .36, .52 .64, .52 .92
      1: .34 .28, .52 .08!, .52 .50, .52 .90 / .32 .91, .52 .90, .72 .91
      2: .24 .28, .36 .10, .60 .09, .74 .26, .66 .48, .44 .70, .22 .91!, .50 .90, .80 .90
      2: .26 .24, .46 .08, .70 .20, .68 .42, .44 .68, .24 .86, .22 .76, .38 .76, .58 .90, .80 .84
      2: .24 .16, .50 .08, .70 .24, .60 .50, .38 .72, .22 .88!, .48 .84, .78 .92
      3: .26 .16, .48 .08, .70 .20, .64 .38, .42 .47!, .66 .54, .74 .72, .56 .90, .26 .84
      3: .24 .10, .48 .09, .74 .10!, .58 .28, .42 .44!, .66 .50, .75 .70, .58 .90, .26 .86
      3: .28 .20, .46 .08, .66 .18, .62 .40, .50 .46, .68 .56, .72 .76, .50 .92, .26 .80
      4: .36 .10, .30 .34, .24 .58!, .50 .58, .80 .56 / .64 .12, .62 .50, .60 .92
      4: .62 .08, .40 .36, .18 .64!, .50 .63, .82 .62 / .62 .08, .62 .50, .62 .92
      4: .30 .10, .26 .36, .36 .54, .56 .52, .70 .40 / .70 .12, .70 .50, .66 .92
      5: .74 .10, .52 .10, .32 .11!, .30 .28, .28 .44!, .52 .40, .74 .56, .70 .80, .46 .92, \
        .24 .82
      5: .32 .10, .31 .26, .28 .44!, .54 .42, .73 .60, .64 .84, .42 .91, .24 .84 / .32 .10, \
        .54 .11, .78 .09
      5: .72 .12, .46 .11, .34 .26, .36 .42, .60 .50, .72 .68, .58 .88, .28 .86
      6: .64 .08, .42 .26, .28 .54, .30 .80, .50 .92, .70 .80, .68 .60, .50 .52, .32 .64
      6: .46 .06, .32 .32, .26 .64, .36 .88, .58 .90, .70 .72, .58 .56, .40 .60, .30 .74
      6: .72 .14, .48 .16, .28 .42, .26 .72, .46 .92, .70 .82, .72 .62, .52 .52, .34 .60
      7: .22 .11, .50 .11, .76 .10!, .60 .38, .48 .64, .40 .92
      7: .22 .13, .48 .11, .76 .11!, .62 .36, .50 .62, .42 .91 / .34 .52, .54 .50, .74 .50
      7: .24 .24, .25 .12!, .50 .14, .76 .12!, .66 .34, .54 .60, .50 .92
      8: .66 .18, .48 .08, .32 .22, .44 .42, .64 .58, .70 .78, .50 .92, .30 .78, .36 .58, \
        .58 .42, .68 .24, .60 .10
      8: .50 .08, .34 .16, .36 .36, .50 .46, .66 .36, .66 .16, .50 .08 / .50 .46, .30 .60, \
        .30 .82, .50 .92, .72 .82, .70 .60, .50 .46
      8: .70 .16, .48 .10, .36 .26, .52 .46, .66 .66, .56 .88, .38 .86, .36 .66, .52 .46, \
        .68 .32, .72 .16
      9: .70 .24, .54 .09, .34 .18, .30 .38, .46 .50, .64 .40, .70 .22!, .69 .50, .66 .92
      9: .68 .16, .46 .09, .32 .26, .38 .46, .58 .46, .70 .28, .70 .16, .72 .50, .62 .82, .38 .90
      9: .50 .08, .32 .20, .34 .42, .52 .50, .68 .38, .66 .16, .50 .08 / .68 .28, .66 .56, .54 .92
      """;

  private static final List<List<Stroke[]>> BY_DIGIT = parse();

  private DigitStrokes() {}

  /** The ways to write {@code digit}. */
  static List<Stroke[]> ways(int digit) {
    return BY_DIGIT.get(digit);
  }

  private static List<List<Stroke[]>> parse() {
    List<List<Stroke[]>> byDigit = new ArrayList<>();
    for (int digit = 0; digit < 10; digit++) {
      byDigit.add(new ArrayList<>());
    }
    for (String line : WAYS.strip().split("\n")) {
      String strokes = line.strip().substring(2);
      byDigit
          .get(line.strip().charAt(0) - '0')
          .add(Arrays.stream(strokes.split("/")).map(DigitStrokes::stroke).toArray(Stroke[]::new));
    }
    return byDigit;
  }

  private static Stroke stroke(String text) {
    String[] points = text.strip().split(",");
    Stroke stroke =
        new Stroke(
            new double[points.length], new double[points.length], new boolean[points.length]);
    for (int i = 0; i < points.length; i++) {
      String point = points[i].strip();
      stroke.corner[i] = point.endsWith("!");
      String[] pair =
          (stroke.corner[i] ? point.substring(0, point.length() - 1) : point).split(" ");
      stroke.x[i] = Double.parseDouble(pair[0]);
      stroke.y[i] = Double.parseDouble(pair[1]);
    }
    return stroke;
  }
}
