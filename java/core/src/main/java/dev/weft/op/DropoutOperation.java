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
 * Inverted dropout: y_i = x_i / (1 - rate) where element i is kept, else 0 (Srivastava et al.
 * 2014). Element i is kept with probability 1 - rate, decided by Philox at (seed, step, draw, i),
 * so the backward pass makes the same mask again: dx_i = dy_i / (1 - rate) where kept, else 0. Any
 * shape. In inference mode, and at rate 0, y is x itself.
 *
 * @param rate the share of elements that are dropped, in [0, 1)
 */
public record DropoutOperation(double rate) implements Operation {
  private static final Operands OPERANDS = Operands.floating("x");

  /** Checks the settings. */
  public DropoutOperation {
    checkRate(rate);
  }

  /**
   * Returns if a rate is one.
   *
   * @throws IllegalArgumentException where it is outside [0, 1)
   */
  public static void checkRate(double rate) {
    if (!(rate >= 0 && rate < 1)) {
      throw new IllegalArgumentException("a dropout rate must be in [0, 1), not " + rate);
    }
  }

  @Override
  public String name() {
    return "dropout";
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor x = node.input(0);
    node.draw(); // counts even where nothing is drawn, so that the draws after it stay as they are
    if (rate == 0 || !node.isTraining()) {
      return x;
    }
    Tensor y = node.make(x.dtype(), x.shape());
    mask(node, x, y, false);
    return y;
  }

  @Override
  public void backward(Node node) {
    if (node.wants(0)) {
      Tensor dy = node.takeGradient();
      mask(node, dy, dy, false);
      node.adopt(0, dy);
    }
  }

  @Override
  public Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    Tensor factors = node.make(node.input(0).dtype(), node.input(0).shape());
    factors.fill(1);
    mask(node, factors, factors, false);
    return on.multiply(factors, tangents.get(0));
  }

  private void mask(Node node, Tensor from, Tensor to, boolean accumulate) {
    node.run(
        Kernel.DROPOUT,
        new Arguments.Dropout(
            Engine.address(from),
            Engine.address(to),
            Engine.address(node.state()),
            from.elements(),
            node.draw(),
            rate,
            accumulate));
  }
}
