// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;
import dev.weft.op.DropoutOperation;
import java.util.Map;

/**
 * Inverted dropout as a layer: in training it drops each element with probability {@code rate} and
 * scales the others by 1 / (1 - rate); in inference it passes everything on.
 *
 * @param rate in [0, 1)
 */
public record Dropout(double rate) implements Layer {

  /** Checks the rate. */
  public Dropout {
    DropoutOperation.checkRate(rate);
  }

  @Override
  public Tensor forward(Operations operations, Tensor x) {
    return operations.dropout(x, rate);
  }

  @Override
  public RowType output(RowType input) {
    LastAxis.checkNumbers(this, input);
    return input;
  }

  @Override
  public Map<String, Object> settings() {
    return Map.of("rate", rate);
  }

  @Override
  public String spec() {
    return format("dropout(%s)", rate);
  }
}
