// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;

import dev.weft.Node;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;

/**
 * Rows of a matrix by number: y_r = source[index_r].
 *
 * <p>source (n, cols) of the tape's floating-point type, index int32 (rows), y (rows, cols).
 * Backward: dsource[index_r] += dy_r, rows in order, so that repeated rows add up the same way
 * every time.
 *
 * <p>Row numbers lie on the device, so that a wrong one cannot be thrown for: where index_r is not
 * in 0..n-1, y_r is NaN, and dy_r goes nowhere.
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
    if (source.shape().rank() != 2 || index.shape().rank() != 1) {
      throw new IllegalArgumentException(
          format(
              "gather needs a source [n, cols] and row numbers [rows], not %s and %s",
              source.shape(), index.shape()));
    }
    long rows = index.elements();
    long cols = source.shape().size(1);
    Tensor y = node.make(source.dtype(), Shape.of(rows, cols));
    node.run(
        Kernel.GATHER_ROWS,
        new Arguments.GatherRows(
            source.address(),
            index.address(),
            0,
            y.address(),
            rows,
            cols,
            source.shape().size(0),
            1,
            0));
    return y;
  }

  @Override
  public void backward(Node node) {
    if (!node.wants(0)) {
      return;
    }
    Node.Sink dsource = node.into(0, node.input(0).dtype().wide());
    if (!dsource.accumulate()) {
      dsource.tensor().fill(0);
    }
    long rows = node.input(1).elements();
    long cols = node.input(0).shape().size(1);
    node.run(
        Kernel.GATHER_ROWS_BACKWARD,
        new Arguments.GatherRowsBackward(
            node.input(1).address(),
            node.gradient().address(),
            dsource.tensor().address(),
            rows,
            cols,
            node.input(0).shape().size(0),
            1));
  }
}
