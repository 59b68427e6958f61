// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;

import dev.weft.Node;
import dev.weft.Operations;
import dev.weft.Shape;
import dev.weft.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * x repeated to a larger shape: aligned at the last axis, a size of 1 stretches. Backward: dx is dy
 * summed over the axes that were stretched.
 *
 * @param shape the larger shape
 */
public record BroadcastTo(Shape shape) implements Operation {
  private static final Operands OPERANDS = Operands.floating("x");

  @Override
  public String name() {
    return "broadcast_to";
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor x = node.input(0);
    int ahead = shape.rank() - x.shape().rank();
    boolean fits = ahead >= 0;
    for (int axis = 0; fits && axis < x.shape().rank(); axis++) {
      long size = x.shape().size(axis);
      fits = size == 1 || size == shape.size(ahead + axis);
    }
    if (!fits) {
      throw new IllegalArgumentException(format("%s does not broadcast to %s", x.shape(), shape));
    }
    if (isOnlyReshaped(x)) {
      return x.view(0, shape);
    }
    StridedCopy copy = StridedCopy.to(shape, Strides.stretched(x.shape(), shape.rank()));
    Tensor y = node.make(x.dtype(), shape);
    copy.run(node, x, y, false);
    return y;
  }

  private boolean isOnlyReshaped(Tensor x) {
    return x.elements() == shape.elements();
  }

  @Override
  public void backward(Node node) {
    if (!node.wants(0)) {
      return;
    }
    Tensor x = node.input(0);
    if (isOnlyReshaped(x)) {
      node.adopt(0, node.takeGradient().view(0, x.shape()));
    } else {
      Stretched.sumInto(node, node.gradient(), node.into(0, x.dtype().wide()));
    }
  }

  @Override
  public Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    return on.apply(this, tangents.get(0));
  }
}
