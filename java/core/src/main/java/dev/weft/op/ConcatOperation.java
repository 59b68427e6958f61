// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;

import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Operations;
import dev.weft.Shape;
import dev.weft.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Tensors one after another along one axis; all other sizes agree. Backward: each input's gradient
 * is its part of dy.
 *
 * @param axis which axis, negative counts from the end
 */
public record ConcatOperation(int axis) implements Operation {
  private static final Operands OPERANDS = Operands.floating("part").orMore();

  @Override
  public String name() {
    return "concat";
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public Tensor forward(Node node) {
    Shape first = node.input(0).shape();
    int at = first.axis(axis);
    long total = 0;
    for (Tensor x : node.inputs()) {
      if (x.shape().rank() != first.rank() || !x.shape().with(at, 0).equals(first.with(at, 0))) {
        throw new IllegalArgumentException(
            format("concat along axis %d of shapes %s and %s", at, first, x.shape()));
      }
      total += x.shape().size(at);
    }
    Tensor y = node.make(node.input(0).dtype(), first.with(at, total));
    Slice.Span span = Slice.Span.of(first, at);
    long start = 0;
    for (Tensor x : node.inputs()) {
      long cols = x.shape().size(at) * span.inner();
      Slice.copy(
          node,
          Engine.address(x),
          Engine.address(y) + start * y.dtype().bytes(),
          span.outer(),
          cols,
          cols,
          total * span.inner(),
          false);
      start += cols;
    }
    return y;
  }

  @Override
  public void backward(Node node) {
    Shape shape = node.output().shape();
    int at = shape.axis(axis);
    Slice.Span span = Slice.Span.of(shape, at);
    long start = 0;
    for (int i = 0; i < node.inputs().size(); i++) {
      long cols = node.input(i).shape().size(at) * span.inner();
      if (node.wants(i)) {
        Node.Sink dx = node.into(i);
        Slice.copy(
            node,
            Engine.address(node.gradient()) + start * node.gradient().dtype().bytes(),
            Engine.address(dx.tensor()),
            span.outer(),
            cols,
            shape.size(at) * span.inner(),
            cols,
            dx.accumulate());
      }
      start += cols;
    }
  }

  @Override
  public Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    Tensor[] parts = new Tensor[tangents.size()];
    for (int i = 0; i < parts.length; i++) {
      Tensor part = tangents.get(i);
      if (part == null) {
        part = node.make(node.input(i).dtype(), node.input(i).shape());
        part.fill(0);
      }
      parts[i] = part;
    }
    return on.apply(this, parts);
  }
}
