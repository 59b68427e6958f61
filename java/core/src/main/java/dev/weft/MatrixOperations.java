// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;

import dev.weft.op.MatMul;
import dev.weft.op.Operands;

/** The products of matrices. {@link Operations} says what holds for all. */
public interface MatrixOperations extends ShapeOperations {

  /**
   * The matrix product of a (..., m, k) and b (..., k, n): (..., m, n), one for each place in the
   * leading axes, which broadcast. A vector a is one row, a vector b one column, and the result has
   * not that axis: of two vectors it is a scalar.
   *
   * @throws IllegalArgumentException with both shapes, where the inner sizes differ, leading axes
   *     do not broadcast, or one is a scalar
   */
  default Tensor matmul(Tensor a, Tensor b) {
    if (a == null || b == null || a.shape().rank() == 2 && b.shape().rank() == 2) {
      return apply(new MatMul(), a, b);
    }
    Shape left = a.shape();
    Shape right = b.shape();
    check("matmul", Operands.floating("a", "b"), a, b);
    if (left.rank() == 0
        || right.rank() == 0
        || left.size(-1) != right.size(right.rank() == 1 ? 0 : -2)) {
      throw new IllegalArgumentException(
          format("matmul of %s and %s: the inner sizes differ, or one is a scalar", left, right));
    }
    long k = left.size(-1);
    if (left.rank() == 1) {
      Tensor y = matmul(reshape(a, 1, k), b);
      return reshape(y, y.shape().without(right.rank() == 1 ? -1 : -2).toArray());
    }
    if (right.rank() == 1) {
      Tensor y = matmul(a, reshape(b, k, 1));
      return reshape(y, y.shape().without(-1).toArray());
    }
    if (right.rank() == 2) { // one product with all rows
      long rows = left.elements(0, left.rank() - 1);
      Tensor y = apply(new MatMul(), reshape(a, rows, k), b);
      return reshape(y, left.with(-1, right.size(1)).toArray());
    }
    return apply(new MatMul(), a, b);
  }
}
