// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;

/**
 * 1/n Σ (output_i - target_i)² over all n = rows · features elements.
 *
 * @param target the column of what the outputs should be
 */
public record MeanSquaredError(String target) implements Loss {

  /** Against {@link Inputs#TARGETS}. */
  public MeanSquaredError() {
    this(Inputs.TARGETS);
  }

  /** Against another column. */
  public MeanSquaredError against(String column) {
    return new MeanSquaredError(column);
  }

  @Override
  public void check(RowType output, Inputs<RowType> data) {
    ValueTargets.check(this, output, target, data.get(target));
  }

  @Override
  public Tensor apply(Operations operations, Tensor output, Inputs<Tensor> data) {
    return ValueLoss.squared().against(target).apply(operations, output, data);
  }

  @Override
  public String spec() {
    return "mean_squared_error";
  }
}
