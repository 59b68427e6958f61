// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;

import dev.weft.Engine;
import dev.weft.MathMode;
import dev.weft.Node;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;

/**
 * y = op(a) op(b), where op transposes or not.
 *
 * <p>op(a) (m, k), op(b) (k, n), y (m, n). Backward, without transposes: da = dy bᵀ, db = aᵀ dy.
 * How precise float32 products are is said by {@link dev.weft.Tape#math}.
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
    return matrix.shape().size(form == Form.PLAIN ? 0 : 1);
  }

  private static long columns(Tensor matrix, Form form) {
    return matrix.shape().size(form == Form.PLAIN ? 1 : 0);
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor left = node.input(0);
    Tensor right = node.input(1);
    if (left.shape().rank() != 2
        || right.shape().rank() != 2
        || columns(left, a) != rows(right, b)) {
      throw new IllegalArgumentException(
          format(
              "%s of %s and %s: the inner sizes differ, or they are not matrices",
              name(), left.shape(), right.shape()));
    }
    Tensor y = node.make(left.dtype(), Shape.of(rows(left, a), columns(right, b)));
    multiply(node, left, a, right, b, y, false);
    return y;
  }

  @Override
  public void backward(Node node) {
    Tensor left = node.input(0);
    Tensor right = node.input(1);
    Tensor dy = node.gradient();
    if (node.wants(0)) {
      Node.Sink da = node.into(0, node.gradientType(0));
      if (a == Form.PLAIN) { // da = dy op(b)ᵀ
        multiply(node, dy, Form.PLAIN, right, flip(b), da.tensor(), da.accumulate());
      } else { // daᵀ = dy op(b)ᵀ, so da = op(b) dyᵀ
        multiply(node, right, b, dy, Form.TRANSPOSED, da.tensor(), da.accumulate());
      }
    }
    if (node.wants(1)) {
      Node.Sink db = node.into(1, node.gradientType(1));
      if (b == Form.PLAIN) { // db = op(a)ᵀ dy
        multiply(node, left, flip(a), dy, Form.PLAIN, db.tensor(), db.accumulate());
      } else { // dbᵀ = op(a)ᵀ dy, so db = dyᵀ op(a)
        multiply(node, dy, Form.TRANSPOSED, left, a, db.tensor(), db.accumulate());
      }
    }
  }

  private static Form flip(Form form) {
    return form == Form.PLAIN ? Form.TRANSPOSED : Form.PLAIN;
  }

  private static void multiply(
      Node node, Tensor left, Form a, Tensor right, Form b, Tensor y, boolean accumulate) {
    long m = rows(left, a);
    long k = columns(left, a);
    long n = columns(right, b);
    node.run(
        Kernel.GEMM,
        new Arguments.Gemm(
            Engine.address(left),
            Engine.address(right),
            Engine.address(y),
            m,
            n,
            k,
            left.shape().size(1),
            right.shape().size(1),
            n,
            a == Form.TRANSPOSED,
            b == Form.TRANSPOSED,
            1,
            accumulate ? 1 : 0,
            node.math() == MathMode.FAST,
            y.dtype() != left.dtype(), 1, 0, 0, 0));
  }
}
