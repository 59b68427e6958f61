// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;

import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Operations;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Rows of a matrix by number: y_i = source[index_i].
 *
 * <p>source (n, cols) of the tape's floating-point type, index int32 of any shape, y (the shape of
 * index, cols). Backward: dsource[index_i] += dy_i, equal numbers in the order of their places.
 *
 * <p>Row numbers lie on the device, so that a wrong one cannot be thrown for: where index_i is not
 * in 0..n-1, y_i is NaN, and dy_i goes nowhere.
 */
public record GatherRows() implements Operation {
  private static final Operands OPERANDS = Operands.floatingAndInt32("source", "index");

  @Override
  public String name() {
    return "gather_rows";
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor source = node.input(0);
    Tensor index = node.input(1);
    if (source.shape().rank() != 2) {
      throw new IllegalArgumentException(
          format(
              "gather needs a source [n, cols] and row numbers, not %s and %s",
              source.shape(), index.shape()));
    }
    long cols = source.shape().size(1);
    long[] sizes = Arrays.copyOf(index.shape().toArray(), index.shape().rank() + 1);
    sizes[sizes.length - 1] = cols;
    Tensor y = node.make(source.dtype(), Shape.of(sizes));
    node.run(
        Kernel.GATHER_ROWS,
        new Arguments.GatherRows(
            Engine.address(source),
            Engine.address(index),
            0,
            Engine.address(y),
            index.elements(),
            cols,
            source.shape().size(0),
            1,
            0));
    return y;
  }

  @Override
  public void backward(Node node) {
    if (node.wants(0)) {
      RowSums.give(node, 0, node.input(1), node.takeGradient());
    }
  }

  @Override
  public Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    return on.apply(this, tangents.get(0), node.input(1));
  }

  @Override
  public boolean looksUp(int input) {
    return input == 0;
  }
}
