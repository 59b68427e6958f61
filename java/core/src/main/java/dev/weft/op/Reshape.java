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
 * The same elements in the same order under another shape; nothing is copied. Backward: dy under
 * x's shape.
 *
 * @param shape the new shape, of as many elements
 */
public record Reshape(Shape shape) implements Operation {
  private static final Operands OPERANDS = Operands.any("x");

  @Override
  public String name() {
    return "reshape";
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor x = node.input(0);
    if (x.elements() != shape.elements()) {
      throw new IllegalArgumentException(
          format(
              "reshape of %s to %s: %d elements against %d",
              x.shape(), shape, x.elements(), shape.elements()));
    }
    return x.view(0, shape);
  }

  @Override
  public void backward(Node node) {
    if (node.wants(0)) {
      Tensor dy = node.takeGradient();
      node.adopt(0, dy.view(0, node.input(0).shape()));
    }
  }

  @Override
  public Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    return on.apply(this, tangents.get(0));
  }
}
