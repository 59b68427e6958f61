// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;
import java.util.List;
import java.util.Map;

/** y = f(x) + g(x) + ...: models of one kind of output, given the same inputs. */
public final class Parallel implements Model {
  private final Branches branches;

  private Parallel(List<Model> models) {
    branches = new Branches("Parallel", models);
  }

  /**
   * The sum of these models.
   *
   * @throws IllegalArgumentException where there are none
   */
  public static Parallel of(Model... models) {
    return new Parallel(List.of(models));
  }

  @Override
  public Tensor forward(Operations operations, Inputs<Tensor> inputs) {
    return branches.models().stream()
        .map(model -> model.forward(operations, inputs))
        .reduce(operations::add)
        .orElseThrow();
  }

  @Override
  public RowType output(Inputs<RowType> inputs) {
    List<RowType> outputs = branches.outputs(inputs);
    for (RowType each : outputs) {
      if (each.isIds() || !each.equals(outputs.getFirst())) {
        throw new IllegalArgumentException(
            format("%s adds %s and %s", spec(), outputs.getFirst(), each));
      }
    }
    return outputs.getFirst();
  }

  @Override
  public Map<String, Model> children() {
    return branches.children();
  }

  @Override
  public String spec() {
    return branches.spec("parallel");
  }
}
