// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.Operations;
import dev.weft.Tensor;

/** 1/n Σ (output_i - target_i)² over all n = rows · features elements. */
public record MeanSquaredError() implements Loss {

  @Override
  public Target target() {
    return Target.VALUES;
  }

  @Override
  public Tensor apply(Operations operations, Tensor output, Tensor target, Tensor hits) {
    // BF16 outputs stand beside F32 targets; other types that differ are refused
    return operations.meanSquaredError(operations.wide(output), operations.wide(target));
  }

  @Override
  public double weight(long rows) {
    return rows;
  }

  @Override
  public String spec() {
    return "mean_squared_error";
  }
}
