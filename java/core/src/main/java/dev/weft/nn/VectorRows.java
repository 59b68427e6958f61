// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.RowType;

/** What last layers that are their own loss ask of a row: one vector, and one label. */
final class VectorRows {
  private VectorRows() {}

  /**
   * Checks that a row is a vector of this width.
   *
   * @throws IllegalArgumentException that names the layer, where it is not
   */
  static void check(Layer layer, RowType input, int width) {
    LastAxis.check(layer, input, width);
    if (input.shape().rank() != 1) {
      throw new IllegalArgumentException(
          format("%s takes a vector a row and got %s", layer, input));
    }
  }

  /**
   * Checks that a column has one label a row, of one of so many classes.
   *
   * @throws IllegalArgumentException that names loss and column, where it has not
   */
  static void checkLabels(String loss, String target, RowType labels, int classes) {
    if (!labels.isIds() || labels.shape().rank() != 0) {
      throw new IllegalArgumentException(
          format("%s needs class labels, and %s has %s", loss, target, labels));
    }
    if (labels.below() > classes) {
      throw new IllegalArgumentException(
          format("%s has %d classes and %s %d", target, labels.below(), loss, classes));
    }
  }
}
