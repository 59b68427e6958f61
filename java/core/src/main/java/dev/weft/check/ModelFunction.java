// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import dev.weft.DType;
import dev.weft.Engine;
import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.Tensor;
import dev.weft.TensorFunction;
import dev.weft.nn.Loss;
import dev.weft.nn.Model;
import dev.weft.nn.Network;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A model, or the loss of one, as a function of its parameters and of the columns of a batch. */
final class ModelFunction implements TensorFunction {
  private final Model model;
  private final @Nullable Loss loss; // null where there is none
  private final List<Parameter> parameters;
  private final Map<String, Input> columns;

  ModelFunction(Model model, @Nullable Loss loss, Map<String, Input> columns) {
    this.model = model;
    this.loss = loss;
    this.parameters = List.copyOf(Network.over(model).named().values());
    this.columns = new LinkedHashMap<>(columns);
  }

  /** Parameters in their order, values of U(-1, 1), buffers 0; then the columns. */
  Input[] inputs() {
    List<Input> inputs = new ArrayList<>();
    for (Parameter parameter : parameters) {
      long[] sizes = parameter.shape().toArray();
      boolean buffer = parameter.kind() == Parameter.Kind.BUFFER;
      inputs.add(buffer ? Input.integers(1, sizes) : Input.uniform(-1, 1, sizes));
    }
    inputs.addAll(columns.values());
    return inputs.toArray(Input[]::new);
  }

  @Override
  public Tensor apply(Operations operations, Tensor[] in) {
    Map<String, Tensor> batch = new LinkedHashMap<>();
    int column = parameters.size();
    for (String name : columns.keySet()) {
      batch.put(name, in[column++]);
    }
    List<Tensor> before = new ArrayList<>();
    try {
      for (Parameter parameter : parameters) {
        before.add(Engine.bind(parameter, operations.cast(in[before.size()], DType.F64)));
      }
      Tensor output = model.forward(operations, Inputs.of(batch));
      return loss == null ? output : loss.apply(operations, output, Inputs.of(batch));
    } finally {
      for (int i = 0; i < before.size(); i++) {
        Engine.bind(parameters.get(i), before.get(i));
      }
    }
  }
}
