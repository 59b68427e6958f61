// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.Operations;
import dev.weft.Tensor;

/** Σ (output_i - target_i)² over all elements of the batch. */
public record SumOfSquares() implements Loss {

  @Override
  public Target target() {
    return Target.VALUES;
  }

  @Override
  public Tensor apply(Operations operations, Tensor output, Tensor target, Tensor hits) {
    // BF16 outputs stand beside F32 targets; other types that differ are refused
    return operations.sumOfSquares(operations.wide(output), operations.wide(target));
  }

  @Override
  public double weight(long rows) {
    return 1;
  }

  @Override
  public String spec() {
    return "sum_of_squares";
  }
}
