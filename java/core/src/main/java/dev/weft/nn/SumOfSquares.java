// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.Inputs;
import dev.weft.device.ValueLossFunction;

/**
 * Σ (output_i - target_i)² over all elements of the batch; with weights w of rows Σ_r w_r Σ_i
 * (output_ri - target_ri)².
 */
public final class SumOfSquares extends ValueLoss {

  /** Against {@link Inputs#TARGETS}. */
  public SumOfSquares() {
    this(of(ValueLossFunction.SQUARED, 1, Aggregation.SUM));
  }

  /** The same loss, with the targets in this column of the data. */
  public SumOfSquares(String target) {
    this(new SumOfSquares().settings().against(target));
  }

  SumOfSquares(Settings settings) {
    super(settings);
  }

  @Override
  public SumOfSquares against(String column) {
    return new SumOfSquares(settings().against(column));
  }

  @Override
  public SumOfSquares sampleWeights(String column) {
    return new SumOfSquares(settings().sampleWeights(column));
  }

  @Override
  public SumOfSquares sum() {
    return this;
  }
}
