// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Operations;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A matrix with rows and columns exchanged: x (rows, cols), y (cols, rows). Backward: dx = dyᵀ. */
public record Transpose() implements Operation {
  private static final Operands OPERANDS = Operands.floating("x");

  private static final long TILE = 32;

  @Override
  public String name() {
    return "transpose";
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor x = node.input(0);
    if (x.shape().rank() != 2) {
      throw new IllegalArgumentException("transpose needs a matrix, not " + x.shape());
    }
    Tensor y = node.make(x.dtype(), Shape.of(x.shape().size(1), x.shape().size(0)));
    transpose(node, x, y, false);
    return y;
  }

  @Override
  public void backward(Node node) {
    if (node.wants(0)) {
      Node.Sink dx = node.into(0);
      transpose(node, node.gradient(), dx.tensor(), dx.accumulate());
    }
  }

  @Override
  public Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    return on.apply(this, tangents.get(0));
  }

  private static void transpose(Node node, Tensor from, Tensor to, boolean accumulate) {
    long rows = from.shape().size(0);
    long cols = from.shape().size(1);
    node.run(
        Kernel.TRANSPOSE,
        new Arguments.Transpose(Engine.address(from), Engine.address(to), rows, cols, accumulate));
  }
}
