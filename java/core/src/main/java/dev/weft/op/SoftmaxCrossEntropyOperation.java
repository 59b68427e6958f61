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
 * The cross-entropy between softmax(x) and the labels, of each row, or their sum or mean.
 *
 * <p>x (rows, classes), labels int32 (rows), losses (rows): l_r = -Σ_c q_rc log softmax(x_r)_c with
 * q = (1 - smoothing) onehot(label) + smoothing / classes (Szegedy et al. 2016). y, of the wide
 * type of x, is what {@code reduction} makes of them. Backward: dx_r = dl_r (softmax(x_r) - q_r),
 * which the forward pass has computed along with the loss. A label outside 0..classes-1 makes its
 * row's loss NaN.
 *
 * <p>Weights, where rows have some, are the third input, see {@link RowWeights#GIVEN}. Hits, where
 * they are given as one more, are memory (rows) of the wide type of x, which receives 1 where the
 * largest logit is the label's, else 0, whatever the weight.
 *
 * @param smoothing label smoothing, in [0, 1)
 */
public record SoftmaxCrossEntropyOperation(
    double smoothing, LossReduction reduction, RowWeights weights) implements Operation {
  private static final Operands OPERANDS =
      Operands.floatingAndInt32("logits", "labels").andAny("hits");
  private static final Operands WEIGHTED =
      Operands.floatingAndInt32("logits", "labels").andAny("weights").andAny("hits");

  /** Checks the settings. */
  public SoftmaxCrossEntropyOperation {
    if (!(smoothing >= 0 && smoothing < 1)) {
      throw new IllegalArgumentException("label smoothing must be in [0, 1), not " + smoothing);
    }
  }

  /** The mean over rows that count alike. */
  public SoftmaxCrossEntropyOperation(double smoothing) {
    this(smoothing, LossReduction.MEAN, RowWeights.EQUAL);
  }

  @Override
  public String name() {
    return "softmax_cross_entropy";
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
      throw new IllegalArgumentException("softmax cross-entropy of no elements: " + x.shape());
    }
    return LossInputs.ofRows(
        node,
        Kernel.SOFTMAX_CROSS_ENTROPY,
        weights,
        reduction,
        r ->
            new Arguments.SoftmaxCrossEntropy(
                Engine.address(x),
                Engine.address(labels),
                r.weights(),
                r.losses(),
                r.dx(),
                r.hits(),
                r.rows(),
                r.classes(),
                smoothing,
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
    int classes = (int) x.shape().size(1);
    Tensor hot =
        LossInputs.counted(on, node, on.oneHot(node.input(1), classes, x.dtype()), weights);
    Tensor q = on.shift(on.scale(hot, 1 - smoothing), smoothing / classes);
    Tensor slopes = on.subtract(on.softmax(x), q);
    Tensor moved = on.sum(on.multiply(slopes, on.wide(tangents.get(0))), 1);
    return LossInputs.tangent(on, node, moved, weights, reduction);
  }
}
