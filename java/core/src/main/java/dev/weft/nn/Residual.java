// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;
import java.util.Map;

/**
 * y = x + f(x) (He et al. 2016): the body f keeps the shape of x, and so does this.
 *
 * @param body f
 */
public record Residual(Layer body) implements Layer {

  /** Layers one after another as the body. */
  public static Residual of(Model... body) {
    return new Residual(Sequential.of(body));
  }

  @Override
  public Tensor forward(Operations operations, Tensor x) {
    return operations.add(x, body.forward(operations, x));
  }

  @Override
  public RowType output(RowType input) {
    RowType output = body.output(input);
    if (!output.equals(input)) {
      throw new IllegalArgumentException(
          format("%s adds %s to %s: the body must keep the shape", spec(), output, input));
    }
    return output;
  }

  @Override
  public Map<String, Model> children() {
    return Map.of("body", body);
  }

  @Override
  public String spec() {
    return format("residual(%s)", body.spec());
  }
}
