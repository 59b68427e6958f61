// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tensor;
import java.util.List;
import java.util.Map;

/**
 * y = [f(x), g(x), ...] along the last axis: models given the same inputs, whose outputs differ in
 * their last size at most.
 */
public final class Concat implements Model {
  private final Branches branches;

  private Concat(List<Model> models) {
    branches = new Branches("Concat", models);
  }

  /**
   * The outputs of these models side by side.
   *
   * @throws IllegalArgumentException where there are none
   */
  public static Concat of(Model... models) {
    return new Concat(List.of(models));
  }

  @Override
  public Tensor forward(Operations operations, Inputs<Tensor> inputs) {
    return operations.concat(
        -1,
        branches.models().stream()
            .map(model -> model.forward(operations, inputs))
            .toArray(Tensor[]::new));
  }

  @Override
  public RowType output(Inputs<RowType> inputs) {
    List<RowType> outputs = branches.outputs(inputs);
    RowType first = outputs.getFirst();
    long width = 0;
    for (RowType each : outputs) {
      Shape shape = each.shape();
      if (!each.isIds() && shape.rank() == 0) {
        throw new IllegalArgumentException(
            format(
                "%s puts outputs side by side, and one of them is one number a row, of shape []: a"
                    + " column is made one of shape [1] by .shaped(1)",
                spec()));
      }
      if (each.isIds()
          || shape.rank() != first.shape().rank()
          || !shape.with(-1, 0).equals(first.shape().with(-1, 0))) {
        throw new IllegalArgumentException(format("%s puts %s beside %s", spec(), each, first));
      }
      width += shape.size(-1);
    }
    return first.with(first.shape().with(-1, width));
  }

  @Override
  public Map<String, Model> children() {
    return branches.children();
  }

  @Override
  public String spec() {
    return branches.spec("concat");
  }
}
