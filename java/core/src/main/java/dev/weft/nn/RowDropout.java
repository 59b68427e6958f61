// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.op.DropoutOperation;
import java.util.Map;

/**
 * Inverted dropout of whole rows of the last axis, a draw a row: behind an embedding, of words. In
 * training it drops each row with probability {@code rate} and scales the others by 1 / (1 - rate);
 * in inference it passes everything on. x (rows, ..., width), y as x.
 *
 * @param rate in [0, 1)
 */
public record RowDropout(double rate) implements Layer {

  /** Checks the rate. */
  public RowDropout {
    DropoutOperation.checkRate(rate);
  }

  @Override
  public Tensor forward(Operations o, Tensor x) {
    if (!o.isTraining()) {
      return x;
    }
    Shape shape = x.shape();
    if (shape.rank() < 2 || shape.size(-1) == 0) {
      throw new IllegalArgumentException(format("%s got x of shape %s", spec(), shape));
    }
    Tensor factors = o.dropout(o.full(x.dtype(), shape.with(-1, 1), 1), rate);
    return o.multiply(x, factors);
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
    return format("row_dropout(%s)", rate);
  }
}
