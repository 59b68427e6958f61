// SPDX-License-Identifier: Apache-2.0
package dev.weft;

/** A function of tensors, made of operations. What else it reads does not count as its input. */
@FunctionalInterface
public interface TensorFunction {
  /**
   * Computes the result.
   *
   * @param in its inputs, an array of its own for each call
   */
  Tensor apply(Operations operations, Tensor[] in);
}
