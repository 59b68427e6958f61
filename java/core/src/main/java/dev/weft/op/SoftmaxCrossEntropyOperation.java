// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Operations;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import dev.weft.device.ReductionFunction;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The mean over rows of the cross-entropy between softmax(x) and the labels.
 *
 * <p>x (rows, classes), labels int32 (rows), y a scalar: y = 1/rows Σ_r -Σ_c q_rc log
 * softmax(x_r)_c with q = (1 - smoothing) onehot(label) + smoothing / classes (Szegedy et al.
 * 2016). Backward: dx = dy (softmax(x) - q) / rows, which the forward pass has computed along with
 * the loss. A label outside 0..classes-1 makes the loss NaN. y has the wide type of x.
 *
 * <p>Hits, where they are given as a third input, are memory (rows) of the wide type of x, which
 * receives 1 where the largest logit is the label's, else 0.
 *
 * @param smoothing label smoothing, in [0, 1)
 */
public record SoftmaxCrossEntropyOperation(double smoothing) implements Operation {
  private static final Operands OPERANDS =
      Operands.floatingAndInt32("logits", "labels").andAny("hits");

  /** Checks the settings. */
  public SoftmaxCrossEntropyOperation {
    if (!(smoothing >= 0 && smoothing < 1)) {
      throw new IllegalArgumentException("label smoothing must be in [0, 1), not " + smoothing);
    }
  }

  @Override
  public String name() {
    return "softmax_cross_entropy";
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor x = node.input(0);
    Tensor labels = node.input(1);
    LabelledRows.check(node);
    long rows = x.shape().size(0);
    long classes = x.shape().size(1);
    if (rows == 0 || classes == 0) {
      throw new IllegalArgumentException("softmax cross-entropy of no elements: " + x.shape());
    }
    Tensor hits = LabelledRows.hits(node);
    Tensor losses = node.make(x.dtype().wide(), Shape.of(rows));
    Tensor dx = node.wants(0) ? node.make(x.dtype(), x.shape()) : null;
    var arguments =
        new Arguments.SoftmaxCrossEntropy(
            Engine.address(x),
            Engine.address(labels),
            Engine.address(losses),
            dx == null ? 0 : Engine.address(dx),
            hits == null ? 0 : Engine.address(hits),
            rows,
            classes,
            smoothing,
            1.0 / rows);
    node.run(Kernel.SOFTMAX_CROSS_ENTROPY, arguments);
    Tensor y = node.make(x.dtype().wide(), Shape.of());
    Reduction.run(node, losses, y, 1, rows, 1, ReductionFunction.MEAN, 1, false);
    node.release(losses);
    if (dx != null) {
      node.save(dx);
    }
    return y;
  }

  @Override
  public void backward(Node node) {
    if (!node.wants(0)) {
      return;
    }
    if (node.gradientIsOne()) { // the gradient is what the forward pass has left
      node.adopt(0, node.takeSaved(0));
      return;
    }
    Tensor dx = node.saved(0);
    Node.Sink sink = node.into(0);
    long n = dx.elements();
    // sink (+)= dy dx, the scalar dy stretched over all of dx: the gradient of dy/2 Σ dx_i²
    node.run(
        Kernel.REDUCE_BACKWARD,
        new Arguments.ReduceBackward(
            Engine.address(dx),
            Engine.address(node.gradient()),
            Engine.address(sink.tensor()),
            1,
            n,
            1,
            ReductionFunction.SUM_OF_SQUARES,
            0.5,
            sink.accumulate()));
  }

  @Override
  public Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    Tensor x = on.wide(node.input(0));
    long classes = x.shape().size(1);
    Tensor hot = on.oneHot(node.input(1), (int) classes, x.dtype());
    Tensor q = on.shift(on.scale(hot, 1 - smoothing), smoothing / classes);
    Tensor products = on.multiply(on.subtract(on.softmax(x), q), on.wide(tangents.get(0)));
    return on.scale(on.sum(products), 1.0 / x.shape().size(0));
  }
}
