// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import dev.weft.op.MatMul;

/** The products of matrices. {@link Operations} says what holds for all. */
public interface MatrixOperations extends Execution {

  /**
   * The matrix product of a (m, k) and b (k, n).
   *
   * @throws IllegalArgumentException with both shapes, where the inner sizes differ or one is no
   *     matrix
   */
  default Tensor matmul(Tensor a, Tensor b) {
    return apply(new MatMul(), a, b);
  }
}
