// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;

/**
 * Σ (output_i - target_i)² over all elements of the batch.
 *
 * @param target the column of what the outputs should be
 */
public record SumOfSquares(String target) implements Loss {

  /** Against {@link Inputs#TARGETS}. */
  public SumOfSquares() {
    this(Inputs.TARGETS);
  }

  /** Against another column. */
  public SumOfSquares against(String column) {
    return new SumOfSquares(column);
  }

  @Override
  public void check(RowType output, Inputs<RowType> data) {
    ValueTargets.check(this, output, target, data.get(target));
  }

  @Override
  public Tensor apply(Operations operations, Tensor output, Inputs<Tensor> data) {
    return ValueLoss.squared().against(target).sum().apply(operations, output, data);
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
