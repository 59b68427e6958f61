// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.RowType;
import dev.weft.data.Column;
import java.util.OptionalInt;

/** What losses that compare scores of classes with a label a row ask of them. */
final class LabelTargets {
  private LabelTargets() {}

  static void check(String loss, RowType output, RowType labels, String target) {
    if (!labels.isIds() || labels.shape().rank() != 0) {
      throw new IllegalArgumentException(
          format("%s needs class labels, and %s has %s", loss, target, labels));
    }
    if (output.isIds() || output.shape().rank() != 1) {
      throw new IllegalArgumentException(
          format("%s needs a vector of scores a row, not %s", loss, output));
    }
    if (labels.below() > output.shape().size(0)) {
      throw new IllegalArgumentException(
          format(
              "%s has %d classes and the network %d outputs",
              target, labels.below(), output.shape().size(0)));
    }
  }

  /** Rows without a label must be told to count nothing. */
  static void checkValues(String loss, Column labels, String target, LossWeights weights) {
    if (!labels.type().padded() || weights.ignored().equals(OptionalInt.of(RowType.PADDING))) {
      return;
    }
    for (int r = 0; r < labels.rows(); r++) {
      if (labels.get(r, 0) == RowType.PADDING) {
        throw new IllegalArgumentException(
            format(
                "%s: row %d of %s has no label: ignoring(RowType.PADDING) leaves such rows out",
                loss, r, target));
      }
    }
  }
}
