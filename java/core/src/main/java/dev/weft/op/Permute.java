// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;

import dev.weft.Node;
import dev.weft.Operations;
import dev.weft.Shape;
import dev.weft.Tensor;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The axes of x in another order: axis i of y is axis {@code axes[i]} of x. Backward: dx is dy with
 * its axes back in their places.
 *
 * @param axes each axis of x once, negative counts from the end
 */
public record Permute(List<Integer> axes) implements Operation {
  private static final Operands OPERANDS = Operands.floating("x");

  /** Copies the axes. */
  public Permute {
    axes = List.copyOf(axes);
  }

  /** A permutation that takes axis {@code axes[i]} to place i. */
  public Permute(int... axes) {
    this(IntStream.of(axes).boxed().toList());
  }

  @Override
  public String name() {
    return "permute";
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  /** The axes counted from 0. */
  private int[] order(Shape shape) {
    int[] order = axes.stream().mapToInt(shape::axis).toArray();
    if (order.length != shape.rank() || IntStream.of(order).distinct().count() != order.length) {
      throw new IllegalArgumentException(
          format("permute of %s needs each of its axes once, not %s", shape, axes));
    }
    return order;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor x = node.input(0);
    int[] order = order(x.shape());
    Shape shape = Shape.of(IntStream.of(order).mapToLong(x.shape()::size).toArray());
    StridedCopy copy = copy(x.shape(), order, shape);
    Tensor y = node.make(x.dtype(), shape);
    copy.run(node, x, y, false);
    return y;
  }

  @Override
  public void backward(Node node) {
    if (!node.wants(0)) {
      return;
    }
    Shape shape = node.input(0).shape();
    int[] order = order(shape);
    int[] back = new int[order.length];
    for (int i = 0; i < order.length; i++) {
      back[order[i]] = i;
    }
    Node.Sink dx = node.into(0);
    copy(node.output().shape(), back, shape)
        .run(node, node.gradient(), dx.tensor(), dx.accumulate());
  }

  @Override
  public Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    return on.apply(this, tangents.get(0));
  }

  static StridedCopy copy(Shape from, int[] order, Shape to) {
    long[] strides = Strides.dense(from);
    return StridedCopy.to(to, IntStream.of(order).mapToLong(axis -> strides[axis]).toArray());
  }
}
