// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.RowType;
import dev.weft.data.Column;
import java.util.function.DoublePredicate;

/** What losses that compare with values, one for each output, ask of them. */
final class ValueTargets {
  private ValueTargets() {}

  static void check(Loss loss, RowType output, String column, RowType target) {
    if (target.isIds()) {
      throw new IllegalArgumentException(
          format("%s compares with values, and %s has class labels", loss.spec(), column));
    }
    if (!output.shape().equals(target.shape())) {
      throw new IllegalArgumentException(
          format(
              "%s has rows of shape %s and the network gives %s",
              column, target.shape(), output.shape()));
    }
  }

  /** Checks that all targets are from 0 to 1. */
  static void checkShares(String loss, String target, Column column) {
    check(loss, target, column, "from 0 to 1", value -> value >= 0 && value <= 1);
  }

  /** Checks that all targets are -1 or 1. */
  static void checkSides(String loss, String target, Column column) {
    check(loss, target, column, "-1 or 1", value -> value == -1 || value == 1);
  }

  private static void check(
      String loss, String target, Column column, String what, DoublePredicate fits) {
    double smallest = Double.POSITIVE_INFINITY;
    double largest = Double.NEGATIVE_INFINITY;
    int first = -1;
    for (int r = 0; r < column.rows(); r++) {
      for (int i = 0; i < column.width(); i++) {
        double value = column.get(r, i);
        smallest = Math.min(smallest, value);
        largest = Math.max(largest, value);
        first = first < 0 && !fits.test(value) ? r : first;
      }
    }
    if (first >= 0) {
      throw new IllegalArgumentException(
          format(
              "%s needs targets %s, and %s has numbers from %s to %s, row %d the first that does"
                  + " not fit",
              loss, what, target, smallest, largest, first));
    }
  }
}
