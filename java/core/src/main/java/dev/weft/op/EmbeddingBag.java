// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;

import dev.weft.Node;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.BagFunction;
import dev.weft.device.Kernel;

/**
 * Sums or means of bags of rows: y_b = Σ table[ids_i], i from offsets_b up to, not including,
 * offsets_b+1; of the last bag up to the end of ids. MEAN divides by their count. An empty bag is
 * 0.
 *
 * <p>table (n, cols) of the tape's floating-point type, ids int32 (rows), offsets int32 (bags),
 * ascending, y (bags, cols). Backward: dtable[ids_i] += dy_b, divided by the count for MEAN, equal
 * numbers in the order of their places.
 *
 * <p>Numbers lie on the device, so that a wrong one cannot be thrown for: where an id is not in
 * 0..n-1, or offsets run backwards or leave 0..rows, y_b is NaN.
 *
 * @param function what becomes of the rows of a bag
 */
public record EmbeddingBag(BagFunction function) implements Operation {
  private static final Operands OPERANDS = Operands.floatingAndInt32("table", "ids", "offsets");

  @Override
  public String name() {
    return "embedding_bag_" + function.token();
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor table = node.input(0);
    Tensor ids = node.input(1);
    Tensor offsets = node.input(2);
    if (table.shape().rank() != 2 || ids.shape().rank() != 1 || offsets.shape().rank() != 1) {
      throw new IllegalArgumentException(
          format(
              "embedding_bag needs a table [n, cols], ids [rows] and offsets [bags], not %s, %s and"
                  + " %s",
              table.shape(), ids.shape(), offsets.shape()));
    }
    Tensor y = node.make(table.dtype(), table.shape().with(0, offsets.elements()));
    node.run(
        Kernel.EMBEDDING_BAG_FORWARD,
        new Arguments.EmbeddingBagForward(
            table.address(),
            ids.address(),
            offsets.address(),
            y.address(),
            ids.elements(),
            table.shape().size(1),
            table.shape().size(0),
            offsets.elements(),
            function));
    return y;
  }

  @Override
  public void backward(Node node) {
    if (!node.wants(0)) {
      return;
    }
    Tensor ids = node.input(1);
    Tensor offsets = node.input(2);
    Tensor dy = node.gradient();
    long cols = dy.shape().size(1);
    Tensor drows = node.make(dy.dtype(), Shape.of(ids.elements(), cols));
    node.run(
        Kernel.EMBEDDING_BAG_BACKWARD,
        new Arguments.EmbeddingBagBackward(
            offsets.address(),
            dy.address(),
            drows.address(),
            ids.elements(),
            cols,
            offsets.elements(),
            function));
    RowSums.give(node, 0, ids, drows);
  }

  @Override
  public boolean looksUp(int input) {
    return input == 0;
  }
}
