// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Operations;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * By how much other classes come nearer to a label's score than a margin, of each row, or their sum
 * or mean (Crammer and Singer's margin, summed over classes as Weston and Watkins do, 1999).
 *
 * <p>x (rows, classes), labels int32 (rows), losses (rows): l_r = Σ_{j ≠ k} max(0, margin + x_rj -
 * x_rk), k the label; PyTorch's {@code multi_margin_loss} divides that by the number of classes. y
 * is what {@code reduction} makes of them. Backward: dx_rj = dl_r where the term of j is above 0,
 * and dx_rk less their number. A label outside 0..classes-1 makes its row's loss NaN.
 *
 * <p>Weights and hits are as in {@link SoftmaxCrossEntropyOperation}.
 *
 * @param margin positive and finite; 1 is usual
 */
public record MultiClassHingeOperation(double margin, LossReduction reduction, RowWeights weights)
    implements Operation {
  private static final Operands OPERANDS = Operands.floatingAndInt32("x", "labels").andAny("hits");
  private static final Operands WEIGHTED =
      Operands.floatingAndInt32("x", "labels").andAny("weights").andAny("hits");

  /** Checks the settings. */
  public MultiClassHingeOperation {
    if (!(margin > 0 && margin < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("a margin must be positive and finite, not " + margin);
    }
  }

  @Override
  public String name() {
    return "multi_class_hinge";
  }

  @Override
  public Operands operands() {
    return weights == RowWeights.EQUAL ? OPERANDS : WEIGHTED;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor x = node.input(0);
    Tensor labels = node.input(1);
    LabelledRows.check(node);
    if (x.shape().elements() == 0) {
      throw new IllegalArgumentException("multi-class hinge loss of no elements: " + x.shape());
    }
    return LossInputs.ofRows(
        node,
        Kernel.MULTI_CLASS_HINGE,
        weights,
        reduction,
        r ->
            new Arguments.MultiClassHinge(
                Engine.address(x),
                Engine.address(labels),
                r.weights(),
                r.losses(),
                r.dx(),
                r.hits(),
                r.rows(),
                r.classes(),
                margin,
                r.scale()));
  }

  @Override
  public void backward(Node node) {
    if (node.wants(0)) {
      LossInputs.backward(node, 0, 1);
    }
  }

  @Override
  public Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    LossInputs.checkStill(node, tangents, 2);
    Tensor x = LossInputs.counted(on, node, on.wide(node.input(0)), weights);
    Tensor dx = on.wide(tangents.get(0));
    int classes = (int) x.shape().size(1);
    Tensor hot =
        LossInputs.counted(on, node, on.oneHot(node.input(1), classes, x.dtype()), weights);
    Tensor over = on.shift(beyond(on, x, hot), margin);
    Tensor active = on.multiply(on.greater(over, on.negate(over)), on.not(hot));
    Tensor moved = on.sum(on.multiply(active, beyond(on, dx, hot)), 1);
    return LossInputs.tangent(on, node, moved, weights, reduction);
  }

  /** x_rj - x_rk, k the label. */
  private static Tensor beyond(Operations on, Tensor x, Tensor hot) {
    return on.subtract(x, on.reshape(on.sum(on.multiply(x, hot), 1), x.shape().size(0), 1));
  }
}
