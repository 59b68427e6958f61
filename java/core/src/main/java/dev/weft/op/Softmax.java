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
 * Softmax along one axis, or its logarithm: y_k = e^x_k / Σ_j e^x_j, or y_k = x_k - log Σ_j e^x_j.
 *
 * <p>x of any shape with an axis, y as x. Backward: dx_k = y_k (dy_k - Σ_j dy_j y_j), and of the
 * logarithm dx_k = dy_k - e^y_k Σ_j dy_j. Along the axis all is NaN where one entry is NaN or
 * +infinity, or all are -infinity, as in PyTorch.
 *
 * @param axis which axis, negative counts from the end
 * @param result which of the two
 */
public record Softmax(int axis, Result result) implements Operation {
  /** What y is. */
  public enum Result {
    /** Softmax: numbers that add up to 1. */
    SHARES,
    /** The logarithms of these. */
    LOGARITHMS
  }

  private static final Operands OPERANDS = Operands.floating("x");

  @Override
  public String name() {
    return result == Result.SHARES ? "softmax" : "log_softmax";
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  /** How many entries stand outside of the axis, along it and inside. */
  private long[] split(Shape shape) {
    if (shape.rank() == 0) {
      throw new IllegalArgumentException(
          format("%s goes along an axis, and x of shape %s has none", name(), shape));
    }
    int at = shape.axis(axis);
    return new long[] {shape.elements(0, at), shape.size(at), shape.elements(at + 1, shape.rank())};
  }

  private boolean isLog() {
    return result == Result.LOGARITHMS;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor x = node.input(0);
    long[] sizes = split(x.shape());
    Tensor y = node.make(x.dtype(), x.shape());
    node.run(
        Kernel.SOFTMAX_FORWARD,
        new Arguments.SoftmaxForward(
            Engine.address(x), Engine.address(y), sizes[0], sizes[1], sizes[2], isLog()));
    return y;
  }

  @Override
  public void backward(Node node) {
    if (node.wants(0)) {
      Tensor y = node.output();
      long[] sizes = split(y.shape());
      Node.Sink dx = node.into(0);
      node.run(
          Kernel.SOFTMAX_BACKWARD,
          new Arguments.SoftmaxBackward(
              Engine.address(y),
              Engine.address(node.gradient()),
              Engine.address(dx.tensor()),
              sizes[0],
              sizes[1],
              sizes[2],
              isLog(),
              dx.accumulate()));
    }
  }

  @Override
  public Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    Tensor y = on.wide(node.output());
    Tensor dx = on.wide(tangents.get(0));
    Tensor shares = isLog() ? on.exp(y) : y;
    long[] kept = y.shape().with(axis, 1).toArray();
    Tensor less = on.subtract(dx, on.reshape(on.sum(on.multiply(shares, dx), axis), kept));
    return on.cast(isLog() ? less : on.multiply(y, less), node.output().dtype());
  }
}
