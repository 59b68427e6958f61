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
 * The entries of x from {@code from} up to, not including, {@code to} along one axis. Backward: dx
 * is dy in that range and 0 elsewhere.
 *
 * @param axis which axis, negative counts from the end
 * @param from the first entry
 * @param to the entry after the last
 */
public record Slice(int axis, long from, long to) implements Operation {
  private static final Operands OPERANDS = Operands.floating("x");

  @Override
  public String name() {
    return "slice";
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor x = node.input(0);
    int at = x.shape().axis(axis);
    long size = x.shape().size(at);
    if (from < 0 || from > to || to > size) {
      throw new IllegalArgumentException(
          format("slice %d..%d leaves axis %d of shape %s", from, to, at, x.shape()));
    }
    Tensor y = node.make(x.dtype(), x.shape().with(at, to - from));
    Span span = Span.of(x.shape(), at);
    copy(
        node,
        Engine.address(x) + from * span.inner() * x.dtype().bytes(),
        Engine.address(y),
        span.outer(),
        (to - from) * span.inner(),
        size * span.inner(),
        (to - from) * span.inner(),
        false);
    return y;
  }

  @Override
  public void backward(Node node) {
    if (!node.wants(0)) {
      return;
    }
    Tensor x = node.input(0);
    int at = x.shape().axis(axis);
    Span span = Span.of(x.shape(), at);
    Node.Sink dx = node.into(0);
    if (!dx.accumulate()) {
      dx.tensor().fill(0);
    }
    copy(
        node,
        Engine.address(node.gradient()),
        Engine.address(dx.tensor()) + from * span.inner() * x.dtype().bytes(),
        span.outer(),
        (to - from) * span.inner(),
        (to - from) * span.inner(),
        x.shape().size(at) * span.inner(),
        dx.accumulate());
  }

  @Override
  public Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    return on.apply(this, tangents.get(0));
  }

  /** How an axis divides a shape: entries before it, and after it. */
  record Span(long outer, long inner) {
    static Span of(Shape shape, int axis) {
      return new Span(shape.elements(0, axis), shape.elements(axis + 1, shape.rank()));
    }
  }

  /** Copies a matrix between two row strides. */
  static void copy(
      Node node,
      long from,
      long to,
      long rows,
      long cols,
      long fromStride,
      long toStride,
      boolean accumulate) {
    node.run(
        Kernel.COPY_ROWS,
        new Arguments.CopyRows(from, to, rows, cols, fromStride, toStride, 1, accumulate));
  }
}
