// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.Operations;
import dev.weft.Tensor;
import dev.weft.op.LossReduction;

/** What losses make one number by. */
final class Reductions {
  private Reductions() {}

  /** Checks that a loss gives one number. */
  static void check(LossReduction reduction) {
    if (reduction == LossReduction.NONE) {
      throw new IllegalArgumentException(
          "training minimises one number: a loss is the MEAN or the SUM of those of its rows");
    }
  }

  /** weights / Σ divisors without gradient; 0 where both are. */
  static Tensor shares(Operations operations, Tensor weights, Tensor divisors) {
    return operations.withoutGradient(
        () ->
            operations.divide(
                weights, operations.shift(operations.sum(divisors), Float.MIN_NORMAL)));
  }

  /** What rows are multiplied by: their weights, of a mean over the sum of those. */
  static Tensor factors(Operations operations, Tensor weights, LossReduction reduction) {
    return reduction == LossReduction.MEAN ? operations.shares(weights) : weights;
  }
}
