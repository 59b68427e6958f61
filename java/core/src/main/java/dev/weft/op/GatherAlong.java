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
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Entries of x by their place along an axis: for axis 1 of three, y_{ijk} = x_{i, index_{ijk}, k}.
 *
 * <p>index int32, as x but for the size of that axis; y of its shape. Backward: dx at index += dy,
 * in the order of the places.
 *
 * <p>Places lie on the device, so that a wrong one cannot be thrown for: where one is outside the
 * axis, y is NaN, and dy goes nowhere.
 *
 * @param axis which axis, negative counts from the end
 */
public record GatherAlong(int axis) implements Operation {
  private static final Operands OPERANDS = Operands.floatingAndInt32("x", "index");

  @Override
  public String name() {
    return "gather_along";
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor x = node.input(0);
    Tensor index = node.input(1);
    int at = checked(name(), axis, x.shape(), index.shape());
    Tensor y = node.make(x.dtype(), index.shape());
    gather(node, x, index, y, at, Double.NaN, false);
    return y;
  }

  @Override
  public void backward(Node node) {
    if (!node.wants(0)) {
      return;
    }
    Node.Sink dx = node.into(0, node.input(0).dtype().wide());
    if (!dx.accumulate()) {
      dx.tensor().fill(0);
    }
    int at = node.input(0).shape().axis(axis);
    scatter(node, node.gradient(), node.input(1), dx.tensor(), at);
  }

  @Override
  public Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    return on.apply(this, tangents.get(0), node.input(1));
  }

  /** The axis counted from 0. */
  static int checked(String name, int axis, Shape x, Shape index) {
    int at = x.axis(axis);
    if (index.rank() != x.rank() || !index.with(at, 1).equals(x.with(at, 1))) {
      throw new IllegalArgumentException(
          format(
              "%s along axis %d of %s: the index must differ in that size alone, not be %s",
              name, at, x, index));
    }
    return at;
  }

  static void gather(
      Node node, Tensor x, Tensor index, Tensor y, int at, double missing, boolean accumulate) {
    Slice.Span span = Slice.Span.of(x.shape(), at);
    node.run(
        Kernel.GATHER_ALONG,
        new Arguments.GatherAlong(
            Engine.address(x),
            Engine.address(index),
            Engine.address(y),
            span.outer(),
            x.shape().size(at),
            span.inner(),
            index.shape().size(at),
            missing,
            accumulate));
  }

  /** y, of the wide type, += values. */
  static void scatter(Node node, Tensor values, Tensor index, Tensor y, int at) {
    Slice.Span span = Slice.Span.of(y.shape(), at);
    node.run(
        Kernel.SCATTER_ADD_ALONG,
        values.dtype(),
        new Arguments.ScatterAddAlong(
            Engine.address(values),
            Engine.address(index),
            Engine.address(y),
            span.outer(),
            y.shape().size(at),
            span.inner(),
            index.shape().size(at)));
  }
}
