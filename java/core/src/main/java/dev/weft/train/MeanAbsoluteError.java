// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;

/**
 * 1/n Σ |output_i - target_i| over all n = rows · features elements; it is called {@code
 * mean_absolute_error}, with the column before that where it is another than {@link
 * Inputs#TARGETS}.
 *
 * @param target the column of what the outputs should be
 */
public record MeanAbsoluteError(String target) implements Metric {

  /** Against {@link Inputs#TARGETS}. */
  public MeanAbsoluteError() {
    this(Inputs.TARGETS);
  }

  @Override
  public String name() {
    String name = "mean_absolute_error";
    return target.equals(Inputs.TARGETS) ? name : target + " " + name;
  }

  @Override
  public void check(RowType output, Inputs<RowType> data) {
    RowType values = data.get(target);
    if (values.isIds() || !values.shape().equals(output.shape())) {
      throw new IllegalArgumentException(
          format("%s needs %s like an output, and %s has %s", name(), output, target, values));
    }
  }

  @Override
  public Tensor values(Operations o, Tensor output, Inputs<Tensor> data) {
    Tensor error = o.abs(o.subtract(o.wide(output), o.wide(data.get(target))));
    long rows = error.shape().size(0);
    return o.mean(o.reshape(error, rows, error.elements() / rows), 1);
  }
}
