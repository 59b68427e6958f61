// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;

import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Operations;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * x with values added to entries by their place along an axis: for axis 1 of three, values_{ijk} to
 * y_{i, index_{ijk}, k}, those for one place in their order.
 *
 * <p>index int32, as x but for the size of that axis; values of its shape; y as x. Backward: dx =
 * dy; dvalues is dy at index. A place outside the axis is added to nothing, and its value's
 * gradient is 0.
 *
 * @param axis which axis, negative counts from the end
 */
public record ScatterAdd(int axis) implements Operation {
  private static final Operands OPERANDS = Operands.floating("x", "values").andInt32("index");

  @Override
  public String name() {
    return "scatter_add";
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor x = node.input(0);
    Tensor values = node.input(1);
    Tensor index = node.input(2);
    int at = GatherAlong.checked(name(), axis, x.shape(), index.shape());
    if (!values.shape().equals(index.shape())) {
      throw new IllegalArgumentException(
          format(
              "scatter_add needs a place for each value: values have shape %s, the index %s",
              values.shape(), index.shape()));
    }
    Tensor y = node.make(x.dtype(), x.shape());
    long n = x.elements();
    if (x.dtype() == x.dtype().wide()) {
      Slice.copy(node, Engine.address(x), Engine.address(y), 1, n, n, n, false);
      GatherAlong.scatter(node, values, index, y, at);
      return y;
    }
    // added up in float32, and rounded once
    Tensor wide = node.make(x.dtype().wide(), x.shape());
    node.run(
        Kernel.BF16_TO_F32, new Arguments.Cast(Engine.address(x), Engine.address(wide), n, false));
    GatherAlong.scatter(node, values, index, wide, at);
    node.run(
        Kernel.F32_TO_BF16, new Arguments.Cast(Engine.address(wide), Engine.address(y), n, false));
    node.release(wide);
    return y;
  }

  @Override
  public void backward(Node node) {
    if (node.wants(1)) {
      Node.Sink dvalues = node.into(1);
      int at = node.input(0).shape().axis(axis);
      GatherAlong.gather(
          node, node.gradient(), node.input(2), dvalues.tensor(), at, 0, dvalues.accumulate());
    }
    if (node.wants(0)) {
      node.adopt(0, node.takeGradient());
    }
  }

  @Override
  public Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    Tensor dx = tangents.get(0);
    Tensor dvalues = tangents.get(1);
    if (dx == null) {
      dx = node.make(node.input(0).dtype(), node.input(0).shape());
      dx.fill(0);
    }
    return dvalues == null
        ? on.cast(dx, node.output().dtype())
        : on.apply(this, dx, dvalues, node.input(2));
  }
}
