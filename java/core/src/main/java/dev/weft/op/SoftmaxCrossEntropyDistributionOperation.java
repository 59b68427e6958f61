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
import org.jspecify.annotations.Nullable;

/**
 * The cross-entropy between softmax(x) and distributions q, or how far it is above q's own.
 *
 * <p>x (rows, classes), q (rows, classes), or (classes) for all rows, of the wide type of x, losses
 * (rows): l_r = -Σ_c q_rc log softmax(x_r)_c, and for {@link Kind#KL_DIVERGENCE} + Σ_c q_rc log
 * q_rc, a q of 0 adding nothing. y is what {@code reduction} makes of them; {@code MEAN} divides by
 * rows, as PyTorch's {@code batchmean}. Backward: dx_r = dl_r (softmax(x_r) Σ_c q_rc - q_r); q gets
 * no gradient. A negative q or NaN makes its row's loss NaN.
 *
 * <p>Weights and hits are as in {@link SoftmaxCrossEntropyOperation}, the label being the first
 * largest q.
 */
public record SoftmaxCrossEntropyDistributionOperation(
    Kind kind, LossReduction reduction, RowWeights weights) implements Operation {
  /** What of q is subtracted. */
  public enum Kind {
    /** Nothing. */
    CROSS_ENTROPY("cross_entropy_of_distributions"),
    /**
     * Its entropy: the Kullback-Leibler divergence of softmax(x) from q, 0 where they are equal.
     */
    KL_DIVERGENCE("kl_divergence");

    private final String token;

    Kind(String token) {
      this.token = token;
    }

    /** What the loss is called. */
    public String token() {
      return token;
    }
  }

  private static final Operands OPERANDS = Operands.floating("logits").andAny("q").andAny("hits");
  private static final Operands WEIGHTED =
      Operands.floating("logits").andAny("q").andAny("weights").andAny("hits");

  @Override
  public String name() {
    return kind.token();
  }

  @Override
  public Operands operands() {
    return weights == RowWeights.EQUAL ? OPERANDS.atLeast(2) : WEIGHTED.atLeast(3);
  }

  @Override
  public Tensor forward(Node node) {
    Tensor x = node.input(0);
    Tensor q = node.input(1);
    boolean one = q.shape().rank() == 1;
    if (x.shape().rank() != 2
        || x.shape().elements() == 0
        || !q.shape().equals(one ? Shape.of(x.shape().size(1)) : x.shape())) {
      throw new IllegalArgumentException(
          format(
              "%s needs logits [rows, classes] and q [rows, classes] or [classes], not %s and %s",
              name(), x.shape(), q.shape()));
    }
    LossInputs.check(node, 1, "distributions", q.shape());
    return LossInputs.ofRows(
        node,
        Kernel.SOFTMAX_CROSS_ENTROPY_DISTRIBUTION,
        weights,
        reduction,
        r ->
            new Arguments.SoftmaxCrossEntropyDistribution(
                Engine.address(x),
                Engine.address(q),
                r.weights(),
                r.losses(),
                r.dx(),
                r.hits(),
                r.rows(),
                r.classes(),
                one ? 1 : r.rows(),
                kind == Kind.KL_DIVERGENCE,
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
    LossInputs.checkStill(node, tangents, 1);
    Tensor x = LossInputs.counted(on, node, on.wide(node.input(0)), weights);
    Tensor q = node.input(1);
    Tensor totals = on.reshape(on.sum(q, -1), q.shape().with(-1, 1).toArray());
    Tensor slopes =
        LossInputs.counted(on, node, on.subtract(on.multiply(on.softmax(x), totals), q), weights);
    Tensor moved = on.sum(on.multiply(slopes, on.wide(tangents.get(0))), 1);
    return LossInputs.tangent(on, node, moved, weights, reduction);
  }
}
