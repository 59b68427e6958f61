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
import dev.weft.device.Kernel;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A row for each id: 1 in the column with its number, else 0; NaN in all columns where the id is
 * outside 0..classes-1. ids int32 of any shape, y (the shape of ids, classes); without gradient.
 *
 * @param classes at least 1
 * @param dtype the type of y, a floating-point one
 */
public record OneHot(int classes, DType dtype) implements Operation {
  private static final Operands OPERANDS = Operands.int32("ids");

  /** Checks the settings. */
  public OneHot {
    if (classes < 1 || !dtype.isFloating()) {
      throw new IllegalArgumentException(
          format(
              "one_hot needs at least 1 class and a floating-point type, not %d and %s",
              classes, dtype));
    }
  }

  @Override
  public String name() {
    return "one_hot";
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor ids = node.input(0);
    long[] sizes = Arrays.copyOf(ids.shape().toArray(), ids.shape().rank() + 1);
    sizes[sizes.length - 1] = classes;
    Tensor y = node.make(dtype, Shape.of(sizes));
    node.run(
        Kernel.ONE_HOT,
        dtype,
        new Arguments.OneHot(
            Engine.address(ids), Engine.address(y), ids.elements(), classes, 1, 0));
    return y;
  }

  @Override
  public void backward(Node node) {
    throw new IllegalStateException("ids have no gradient");
  }

  @Override
  public @Nullable Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    return null;
  }
}
