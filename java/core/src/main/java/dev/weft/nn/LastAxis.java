// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.RowType;

/** What layers that go along the last axis ask of a row. */
final class LastAxis {
  private LastAxis() {}

  static void checkNumbers(Layer layer, RowType input) {
    if (input.isIds()) {
      throw new IllegalArgumentException(
          format("%s takes numbers and got %s: put an Embedding before it", layer, input));
    }
  }

  /**
   * Checks that rows are numbers whose last axis has this size.
   *
   * @throws IllegalArgumentException that names the layer, where they are not
   */
  static void check(Layer layer, RowType input, long size) {
    checkNumbers(layer, input);
    int rank = input.shape().rank();
    if (rank == 0 || input.shape().size(-1) != size) {
      throw new IllegalArgumentException(
          rank == 0
              ? format(
                  "%s got one number a row, of shape []: a column is made one of shape [1] by"
                      + " .shaped(1)",
                  layer)
              : rank == 1
                  ? format("%s got %d features", layer, input.shape().size(0))
                  : format("%s got rows of shape %s", layer, input.shape()));
    }
  }
}
