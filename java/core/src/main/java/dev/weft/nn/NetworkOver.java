// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.RowType;
import dev.weft.Tensor;
import java.util.List;
import java.util.Map;

/** Another model's memory. */
final class NetworkOver extends Network {
  private final Model model;

  NetworkOver(Model model) {
    this.model = model;
  }

  @Override
  public Model model() {
    return model;
  }

  @Override
  public Tensor forward(Operations operations, Inputs<Tensor> inputs) {
    return model.forward(operations, inputs);
  }

  @Override
  public RowType output(Inputs<RowType> inputs) {
    return model.output(inputs);
  }

  @Override
  public Map<String, Model> children() {
    return model.children();
  }

  @Override
  public List<Parameter> parameters() {
    return model.parameters();
  }

  @Override
  public List<Constant> constants() {
    return model.constants();
  }

  @Override
  public String spec() {
    return model.spec();
  }
}
