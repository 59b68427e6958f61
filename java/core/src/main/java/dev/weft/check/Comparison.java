// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import java.util.Arrays;

/**
 * Two arrays compared element by element: the element that differs most.
 *
 * <p>The error of actual a against expected e is |a - e| / max(|e|, rms), rms that of all finite
 * expected values; in an array of less than 8 elements, where a sum may be small by chance, /
 * max(|e|, rms, 1). An element that is NaN or infinite on one side only has an infinite error. The
 * tolerance is ε (16 + 2 √terms), ε the spacing of floating-point numbers at 1: rounding errors of
 * a sum are like a random walk (Higham, "Accuracy and Stability of Numerical Algorithms", chapter
 * 4). In bfloat16 it is 1/32.
 *
 * @param place the element
 * @param expected its expected value
 * @param actual its actual value
 * @param error its error
 * @param tolerance the largest error that passes
 */
public record Comparison(
    int place, double expected, double actual, double error, double tolerance) {
  private static final int FEW = 8;

  /** Four spacings at 1: sums are in float32, so only the few roundings in a row count. */
  private static final double BF16_TOLERANCE = 0x1p-5;

  /**
   * Compares two arrays.
   *
   * @param precision what the less exact of the two was computed in
   * @param terms the length of the longest sum in an element
   * @throws IllegalArgumentException where the lengths differ
   */
  public static Comparison of(double[] expected, double[] actual, DType precision, long terms) {
    if (expected.length != actual.length) {
      throw new IllegalArgumentException(
          format("%d values were expected and %d came", expected.length, actual.length));
    }
    double tolerance = tolerance(precision, terms);
    double rms =
        Math.sqrt(
            Arrays.stream(expected).filter(Double::isFinite).map(v -> v * v).average().orElse(0));
    double least = expected.length < FEW ? Math.max(rms, 1) : rms;
    Comparison worst = new Comparison(-1, 0, 0, 0, tolerance);
    for (int i = 0; i < expected.length; i++) {
      double error = error(expected[i], actual[i], least);
      if (error > worst.error || worst.place < 0) {
        worst = new Comparison(i, expected[i], actual[i], error, tolerance);
      }
    }
    return worst;
  }

  private static double tolerance(DType precision, long terms) {
    return switch (precision) {
      case F32 -> Math.ulp(1f) * (16 + 2 * Math.sqrt(terms));
      case BF16 -> BF16_TOLERANCE;
      default -> Math.ulp(1.0) * (16 + 2 * Math.sqrt(terms));
    };
  }

  private static double error(double expected, double actual, double least) {
    if (Double.compare(expected, actual) == 0 || expected == actual) {
      return 0;
    }
    double error = Math.abs(actual - expected) / Math.max(Math.abs(expected), least);
    return Double.isFinite(error) ? error : Double.POSITIVE_INFINITY;
  }

  /** Whether the error is within the tolerance. */
  public boolean passed() {
    return error <= tolerance;
  }

  /** Such as {@code element 3: expected 1, got 2: error 1, tolerance 1e-6}. */
  @Override
  public String toString() {
    return format(
        "element %d: expected %.9g, got %.9g: error %.3g, tolerance %.3g",
        place, expected, actual, error, tolerance);
  }
}
