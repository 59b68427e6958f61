// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Operations;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The sums of x up to and with each entry of an axis: y_i = Σ_{j ≤ i} x_j; y has the shape of x.
 * Backward: the sums of dy from each entry on.
 *
 * @param axis which axis, negative counts from the end
 */
public record CumulativeSum(int axis) implements Operation {
  private static final Operands OPERANDS = Operands.floating("x");

  @Override
  public String name() {
    return "cumulative_sum";
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor x = node.input(0);
    int at = x.shape().axis(axis);
    Tensor y = node.make(x.dtype(), x.shape());
    run(node, at, x, y, false, false);
    return y;
  }

  @Override
  public void backward(Node node) {
    if (node.wants(0)) {
      Node.Sink dx = node.into(0);
      int at = node.input(0).shape().axis(axis);
      run(node, at, node.gradient(), dx.tensor(), true, dx.accumulate());
    }
  }

  @Override
  public Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    return on.apply(this, tangents.get(0));
  }

  private static void run(
      Node node, int at, Tensor from, Tensor to, boolean reverse, boolean accumulate) {
    Slice.Span span = Slice.Span.of(from.shape(), at);
    node.run(
        Kernel.CUMULATIVE_SUM,
        new Arguments.CumulativeSum(
            Engine.address(from),
            Engine.address(to),
            span.outer(),
            from.shape().size(at),
            span.inner(),
            reverse,
            accumulate));
  }
}
