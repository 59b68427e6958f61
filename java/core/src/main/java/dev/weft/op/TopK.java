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
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The places of the k largest values along an axis of x, falling: of equal ones the first place
 * first, NaN taken for the largest. int32, of the shape of x with k as the size of that axis;
 * without gradient. A GPU reads x k times: it is made for a k of some dozens.
 *
 * @param axis which axis, negative counts from the end
 * @param k from 1 up to the size of that axis
 */
public record TopK(int axis, int k) implements Operation {
  private static final Operands OPERANDS = Operands.floating("x");

  @Override
  public String name() {
    return "top_k";
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor x = node.input(0);
    Shape shape = x.shape();
    int at = shape.axis(axis);
    long cols = shape.size(at);
    if (k < 1 || k > cols) {
      throw new IllegalArgumentException(
          format(
              "the %d largest along axis %d of %s: that has %d, and at least 1 must be asked for",
              k, at, shape, cols));
    }
    Tensor y = node.make(DType.I32, shape.with(at, k));
    int last = shape.rank() - 1;
    if (at == last) {
      largest(node, x, y, cols);
      return y;
    }
    // rows along that axis, and their places back
    Shape turned = shape.with(at, shape.size(last)).with(last, cols);
    int[] order = IntStream.rangeClosed(0, last).toArray();
    order[at] = last;
    order[last] = at;
    StridedCopy there = Permute.copy(shape, order, turned);
    StridedCopy back = Permute.copy(turned.with(last, k), order, y.shape());
    Tensor rows = node.make(x.dtype(), turned);
    Tensor places = node.make(DType.I32, turned.with(last, k));
    there.run(node, x, rows, false);
    largest(node, rows, places, cols);
    back.run(node, places, y, false);
    node.release(rows);
    node.release(places);
    return y;
  }

  private void largest(Node node, Tensor x, Tensor y, long cols) {
    long rows = x.elements() / cols;
    if (k == 1) {
      node.run(
          Kernel.ARGMAX, new Arguments.Argmax(Engine.address(x), Engine.address(y), rows, cols));
    } else {
      node.run(
          Kernel.TOP_K, new Arguments.TopK(Engine.address(x), Engine.address(y), rows, cols, k));
    }
  }

  @Override
  public void backward(Node node) {
    throw new IllegalStateException("places have no gradient");
  }

  @Override
  public @Nullable Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    return null;
  }
}
