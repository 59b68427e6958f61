// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;

import dev.weft.Engine;
import dev.weft.MathMode;
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
 * y = op(a) op(b), where op transposes or not.
 *
 * <p>op(a) (..., m, k), op(b) (..., k, n), y (..., m, n): a product for each place in the leading
 * axes, which broadcast. Backward, without transposes: da = dy bᵀ, db = aᵀ dy, each summed over the
 * axes in which it was stretched. How precise float32 products are is said by {@link
 * dev.weft.Tape#math}.
 *
 * @param a whether a is transposed
 * @param b whether b is transposed
 */
public record MatMul(Form a, Form b) implements Operation {
  private static final Operands OPERANDS = Operands.floating("a", "b");

  /** How an operand enters the product. */
  public enum Form {
    PLAIN,
    TRANSPOSED
  }

  /** The product of two matrices as they are. */
  public MatMul() {
    this(Form.PLAIN, Form.PLAIN);
  }

  @Override
  public String name() {
    return "matmul" + (a == Form.TRANSPOSED ? "_ta" : "") + (b == Form.TRANSPOSED ? "_tb" : "");
  }

  private static long rows(Tensor matrix, Form form) {
    return matrix.shape().size(form == Form.PLAIN ? -2 : -1);
  }

  private static long columns(Tensor matrix, Form form) {
    return matrix.shape().size(form == Form.PLAIN ? -1 : -2);
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor left = node.input(0);
    Tensor right = node.input(1);
    if (left.shape().rank() < 2 || right.shape().rank() < 2 || columns(left, a) != rows(right, b)) {
      throw new IllegalArgumentException(
          format(
              "%s of %s and %s: the inner sizes differ, or they are not matrices",
              name(), left.shape(), right.shape()));
    }
    Shape batch = batch(left.shape(), right.shape());
    Tensor y = node.make(left.dtype(), matrices(batch, rows(left, a), columns(right, b)));
    multiply(node, left, a, right, b, y, false);
    return y;
  }

  @Override
  public void backward(Node node) {
    Tensor left = node.input(0);
    Tensor right = node.input(1);
    Tensor dy = node.gradient();
    if (node.wants(0)) {
      if (a == Form.PLAIN) { // da = dy op(b)ᵀ
        differentiate(node, 0, dy, Form.PLAIN, right, flip(b));
      } else { // daᵀ = dy op(b)ᵀ, so da = op(b) dyᵀ
        differentiate(node, 0, right, b, dy, Form.TRANSPOSED);
      }
    }
    if (node.wants(1)) {
      if (b == Form.PLAIN) { // db = op(a)ᵀ dy
        differentiate(node, 1, left, flip(a), dy, Form.PLAIN);
      } else { // dbᵀ = op(a)ᵀ dy, so db = dyᵀ op(a)
        differentiate(node, 1, dy, Form.TRANSPOSED, left, a);
      }
    }
  }

  @Override
  public Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    Tensor da = tangents.get(0);
    Tensor db = tangents.get(1);
    return TangentSum.of(
        on,
        da == null ? null : on.apply(this, da, node.input(1)),
        db == null ? null : on.apply(this, node.input(0), db));
  }

  /** The gradient of an input: a product, summed where the input was stretched. */
  private static void differentiate(
      Node node, int input, Tensor left, Form a, Tensor right, Form b) {
    Shape own = node.input(input).shape();
    Shape batch = leading(node.output().shape());
    if (leading(own).elements() == batch.elements()) {
      Node.Sink sink = node.into(input, node.gradientType(input));
      multiply(node, left, a, right, b, sink.tensor(), sink.accumulate());
      return;
    }
    Tensor full = node.make(left.dtype(), matrices(batch, own.size(-2), own.size(-1)));
    multiply(node, left, a, right, b, full, false);
    Stretched.sumInto(node, full, node.into(input, left.dtype().wide()));
    node.release(full);
  }

  private static Shape leading(Shape shape) {
    return Shape.of(Arrays.copyOf(shape.toArray(), shape.rank() - 2));
  }

  private static Shape matrices(Shape batch, long rows, long columns) {
    long[] sizes = Arrays.copyOf(batch.toArray(), batch.rank() + 2);
    sizes[batch.rank()] = rows;
    sizes[batch.rank() + 1] = columns;
    return Shape.of(sizes);
  }

  private Shape batch(Shape left, Shape right) {
    try {
      Shape batch = Shape.broadcast(leading(left), leading(right));
      Strides.of(leading(left), leading(right), batch); // throws where they are too many
      return batch;
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          format("%s of %s and %s: %s", name(), left, right, e.getMessage()), e);
    }
  }

  private static Form flip(Form form) {
    return form == Form.PLAIN ? Form.TRANSPOSED : Form.PLAIN;
  }

  /** The products of all matrices, the innermost leading axis in one call. */
  private static void multiply(
      Node node, Tensor left, Form a, Tensor right, Form b, Tensor y, boolean accumulate) {
    Strides s = Strides.of(leading(left.shape()), leading(right.shape()), leading(y.shape()));
    long[] d = s.sizes();
    long m = rows(left, a);
    long k = columns(left, a);
    long n = columns(right, b);
    long calls = d[0] * d[1] * d[2];
    for (long call = 0; call < calls; call++) {
      node.run(
          Kernel.GEMM,
          new Arguments.Gemm(
              address(left, s.a(), d, call, m * k),
              address(right, s.b(), d, call, k * n),
              Engine.address(y) + call * d[3] * m * n * y.dtype().bytes(),
              m,
              n,
              k,
              left.shape().size(-1),
              right.shape().size(-1),
              n,
              a == Form.TRANSPOSED,
              b == Form.TRANSPOSED,
              1,
              accumulate ? 1 : 0,
              node.math() == MathMode.FAST,
              y.dtype() != left.dtype(),
              d[3],
              s.a()[3] * m * k,
              s.b()[3] * k * n,
              m * n));
    }
  }

  /** Where the matrices of a call begin. */
  private static long address(Tensor tensor, long[] strides, long[] d, long call, long matrix) {
    long at = call / (d[1] * d[2]) * strides[0];
    at += call / d[2] % d[1] * strides[1] + call % d[2] * strides[2];
    return Engine.address(tensor) + at * matrix * tensor.dtype().bytes();
  }
}
