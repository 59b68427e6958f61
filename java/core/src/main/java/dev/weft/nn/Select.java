// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;
import java.util.Map;

/**
 * A column of the data, under its name: what a {@link Sequential} begins with that is not over
 * {@link Inputs#FEATURES}.
 *
 * @param column its name
 */
public record Select(String column) implements Model {
  @Override
  public Tensor forward(Operations operations, Inputs<Tensor> inputs) {
    return inputs.get(column);
  }

  @Override
  public RowType output(Inputs<RowType> inputs) {
    return inputs.get(column);
  }

  @Override
  public Map<String, Object> settings() {
    return Map.of("column", column);
  }

  @Override
  public String spec() {
    return format("select(%s)", column);
  }
}
