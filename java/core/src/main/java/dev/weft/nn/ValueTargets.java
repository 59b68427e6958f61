// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.RowType;

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
}
