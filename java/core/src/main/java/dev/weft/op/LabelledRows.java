// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;

import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Shape;
import dev.weft.Tensor;
import org.jspecify.annotations.Nullable;

/** What operations over rows with a label each take: x, labels and perhaps memory for hits. */
final class LabelledRows {
  private LabelledRows() {}

  /**
   * Checks x (rows, classes) and labels (rows).
   *
   * @throws IllegalArgumentException with both shapes, where they do not fit
   */
  static void check(Node node) {
    Shape x = node.input(0).shape();
    Shape labels = node.input(1).shape();
    if (x.rank() != 2 || !labels.equals(Shape.of(x.size(0)))) {
      throw new IllegalArgumentException(
          format(
              "%s needs x [rows, classes] and labels [rows], not %s and %s",
              node.operation().name(), x, labels));
    }
  }

  /**
   * The memory for hits at a place among the inputs, (rows) of the wide type of x; null where none
   * was given.
   *
   * @throws IllegalArgumentException where it does not fit
   */
  static @Nullable Tensor hits(Node node, int index) {
    if (node.inputs().size() <= index) {
      return null;
    }
    Tensor hits = node.input(index);
    Tensor x = node.input(0);
    Shape rows = Shape.of(x.shape().size(0));
    if (!hits.shape().equals(rows) || hits.dtype() != x.dtype().wide()) {
      throw new IllegalArgumentException(
          format(
              "hits %s do not fit: they must be %s %s",
              Engine.describe(hits), x.dtype().wide(), rows));
    }
    return hits;
  }
}
