// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

import static dev.weft.format.Format.format;

/**
 * time = fixed + slope x, by least squares of the relative errors, so that small and large points
 * weigh the same.
 *
 * @param fixed the time at x = 0
 * @param slope the time that one more x takes
 * @param deviation the largest |measured / line - 1|
 */
public record LinearFit(double fixed, double slope, double deviation) {

  /**
   * The line through points.
   *
   * @throws IllegalArgumentException with fewer than three points, which any line fits, or a time
   *     that is not positive
   */
  public static LinearFit of(double[] x, double[] y) {
    if (x.length != y.length || x.length < 3) {
      throw new IllegalArgumentException(
          format("a line needs at least 3 points, not %d and %d", x.length, y.length));
    }
    // minimise sum ((a + b x) / y - 1)^2: with u = 1 / y and v = x / y, a u + b v is to be 1
    double uu = 0;
    double uv = 0;
    double vv = 0;
    double sumU = 0;
    double sumV = 0;
    for (int i = 0; i < x.length; i++) {
      if (!(y[i] > 0)) {
        throw new IllegalArgumentException(format("time %s at x = %s", y[i], x[i]));
      }
      double u = 1 / y[i];
      double v = x[i] / y[i];
      uu += u * u;
      uv += u * v;
      vv += v * v;
      sumU += u;
      sumV += v;
    }
    double determinant = uu * vv - uv * uv;
    double fixed = (sumU * vv - sumV * uv) / determinant;
    double slope = (sumV * uu - sumU * uv) / determinant;
    double deviation = 0;
    for (int i = 0; i < x.length; i++) {
      deviation = Math.max(deviation, Math.abs(y[i] / (fixed + slope * x[i]) - 1));
    }
    return new LinearFit(fixed, slope, deviation);
  }

  /** The line at x. */
  public double at(double x) {
    return fixed + slope * x;
  }
}
