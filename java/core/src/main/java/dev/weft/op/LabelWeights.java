// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;

import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Operations;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * The weight of each row by its label: y_r = table[labels_r] weights_r, 0 where weights_r is 0 or
 * the label is the ignored one, which may be a class or none, and else NaN where the table has no
 * entry for the label.
 *
 * <p>labels int32 (rows), table (classes), weights (rows) of the table's type, 1 where they are not
 * given, y (rows) of that type. It has no gradient: inputs that want one are refused.
 *
 * @param ignored the label whose rows count nothing
 */
public record LabelWeights(OptionalInt ignored) implements Operation {
  private static final Operands OPERANDS =
      Operands.int32("labels").andFloating("table").andFloating("weights").atLeast(2);

  @Override
  public String name() {
    return "label_weights";
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public Tensor forward(Node node) {
    Shape labels = node.input(0).shape();
    Tensor table = node.input(1);
    Tensor weights = node.inputs().size() < 3 ? null : node.input(2);
    if (labels.rank() != 1
        || table.shape().rank() != 1
        || weights != null && !weights.shape().equals(labels)) {
      throw new IllegalArgumentException(
          format(
              "label_weights needs labels [rows], a table [classes] and weights [rows], not %s, %s"
                  + " and %s",
              labels, table.shape(), weights == null ? "none" : weights.shape()));
    }
    if (table.dtype() != table.dtype().wide()) {
      throw new IllegalArgumentException(
          format("label_weights: table %s must be of a wide type", Engine.describe(table)));
    }
    LossInputs.checkNoGradient(node, 1, "table");
    if (weights != null) {
      LossInputs.checkNoGradient(node, 2, "weights");
    }
    Tensor y = node.make(table.dtype(), labels);
    node.run(
        Kernel.LABEL_WEIGHTS,
        table.dtype(),
        new Arguments.LabelWeights(
            Engine.address(node.input(0)),
            Engine.address(table),
            LossInputs.address(weights),
            Engine.address(y),
            labels.elements(),
            table.elements(),
            ignored.isPresent() ? ignored.getAsInt() : Long.MIN_VALUE));
    return y;
  }

  @Override
  public void backward(Node node) {
    // nothing to add: weights are no function of what is learned
  }

  @Override
  public @Nullable Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    return null;
  }
}
