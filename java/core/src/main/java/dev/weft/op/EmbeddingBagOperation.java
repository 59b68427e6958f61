// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Operations;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.BagFunction;
import dev.weft.device.Kernel;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Sums or means of bags of rows: y_b = Σ table[ids_i] over the places i of bag b, divided by how
 * many rows these are for MEAN. An id of -1 is padding: no row, and not counted. A bag of no rows
 * is 0.
 *
 * <p>table (n, cols) of the tape's floating-point type. Bags of one length, padded where they have
 * fewer rows: ids int32 (..., length), y (..., cols). Or of any length: ids int32 (rows), offsets
 * int32 (bags), ascending, y (bags, cols), and the places of bag b are offsets_b up to, not
 * including, offsets_b+1, of the last bag up to the end of ids. Backward: dtable[ids_i] += dy_b,
 * divided by the count for MEAN, equal numbers in the order of their places.
 *
 * <p>Numbers lie on the device, so that a wrong one cannot be thrown for: where an id is neither in
 * 0..n-1 nor -1, or offsets run backwards or leave 0..rows, y_b is NaN.
 *
 * @param function what becomes of the rows of a bag
 */
public record EmbeddingBagOperation(BagFunction function) implements Operation {
  private static final Operands OPERANDS =
      Operands.floatingAndInt32("table", "ids", "offsets").atLeast(2);

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
    check(node);
    long cols = table.shape().size(1);
    boolean padded = node.inputs().size() == 2;
    Shape bags = padded ? ids.shape().without(-1) : node.input(2).shape();
    Shape result = padded ? ids.shape().with(-1, cols) : Shape.of(bags.size(0), cols);
    Tensor y = node.make(table.dtype(), result);
    Tensor counts = node.make(DType.I32, bags);
    node.run(
        Kernel.EMBEDDING_BAG_FORWARD,
        new Arguments.EmbeddingBagForward(
            Engine.address(table),
            Engine.address(ids),
            offsets(node),
            Engine.address(y),
            Engine.address(counts),
            ids.elements(),
            cols,
            table.shape().size(0),
            bags.elements(),
            function));
    node.save(counts);
    return y;
  }

  private static void check(Node node) {
    Shape table = node.input(0).shape();
    Shape ids = node.input(1).shape();
    if (node.inputs().size() == 2) {
      if (table.rank() != 2 || ids.rank() == 0) {
        throw new IllegalArgumentException(
            format(
                "embedding_bag needs a table [n, cols] and ids [..., length], not %s and %s",
                table, ids));
      }
    } else if (table.rank() != 2 || ids.rank() != 1 || node.input(2).shape().rank() != 1) {
      throw new IllegalArgumentException(
          format(
              "embedding_bag needs a table [n, cols], ids [rows] and offsets [bags], not %s, %s and"
                  + " %s",
              table, ids, node.input(2).shape()));
    }
  }

  private static long offsets(Node node) {
    return node.inputs().size() > 2 ? Engine.address(node.input(2)) : 0;
  }

  @Override
  public void backward(Node node) {
    if (!node.wants(0)) {
      return;
    }
    Tensor ids = node.input(1);
    Tensor dy = node.gradient();
    Tensor counts = node.saved(0);
    long cols = dy.shape().size(-1);
    Tensor drows = node.make(dy.dtype(), Shape.of(ids.elements(), cols));
    node.run(
        Kernel.EMBEDDING_BAG_BACKWARD,
        new Arguments.EmbeddingBagBackward(
            Engine.address(ids),
            offsets(node),
            Engine.address(counts),
            Engine.address(dy),
            Engine.address(drows),
            ids.elements(),
            cols,
            counts.elements(),
            function));
    RowSums.give(node, 0, ids, drows);
  }

  @Override
  public Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    Tensor[] inputs = node.inputs().toArray(Tensor[]::new);
    inputs[0] = tangents.get(0);
    return on.apply(this, inputs);
  }

  @Override
  public boolean looksUp(int input) {
    return input == 0;
  }
}
