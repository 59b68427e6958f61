// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.Inputs;
import dev.weft.device.ValueLossFunction;

/**
 * 1/n Σ (output_i - target_i)² over all n = rows · features elements; rows may be weighted, see
 * {@link ValueLoss}.
 */
public final class MeanSquaredError extends ValueLoss {

  /** Against {@link Inputs#TARGETS}. */
  public MeanSquaredError() {
    this(of(ValueLossFunction.SQUARED, 1, Aggregation.MEAN));
  }

  /** The same loss, with the targets in this column of the data. */
  public MeanSquaredError(String target) {
    this(new MeanSquaredError().settings().against(target));
  }

  private MeanSquaredError(Settings settings) {
    super(settings);
  }

  @Override
  public MeanSquaredError against(String column) {
    return new MeanSquaredError(settings().against(column));
  }

  @Override
  public MeanSquaredError sampleWeights(String column) {
    return new MeanSquaredError(settings().sampleWeights(column));
  }

  @Override
  public SumOfSquares sum() {
    return new SumOfSquares(settings().sum());
  }
}
