// SPDX-License-Identifier: Apache-2.0
package dev.weft.support;

import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.BinaryFunction;
import dev.weft.device.Kernel;
import dev.weft.op.Operands;
import dev.weft.op.Operation;

/**
 * y = x² with a backward pass that is wrong in a chosen way: what every kind of check must notice.
 * With {@link Fault#NONE} it is right.
 */
public record Broken(Fault fault) implements Operation {

  /** What is wrong. */
  public enum Fault {
    /** Nothing: dx = 2 x dy. */
    NONE,
    /** dx = -2 x dy. */
    SIGN,
    /** dx = x dy: one of the two factors' terms is left out. */
    DROPPED_TERM,
    /** dx = 2 x, whatever dy is. */
    IGNORES_UPSTREAM,
    /** Overwrites where it should add. */
    OVERWRITES,
    /** The last element gets no gradient. */
    LAST_ELEMENT,
    /** The first element of the result is off by one part in ten thousand. */
    RESULT
  }

  @Override
  public String name() {
    return "broken_" + fault;
  }

  @Override
  public Operands operands() {
    return Operands.floating("x");
  }

  @Override
  public Tensor forward(Node node) {
    Tensor x = node.input(0);
    Tensor y = node.make(x.dtype(), x.shape());
    scaledProduct(node, x, x, y, 1, x.elements(), false);
    if (fault == Fault.RESULT) {
      scaledProduct(node, x, x, y, 1.0001, 1, false);
    }
    return y;
  }

  @Override
  public void backward(Node node) {
    Tensor x = node.input(0);
    Node.Sink dx = node.into(0);
    boolean accumulate = dx.accumulate() && fault != Fault.OVERWRITES;
    Tensor dy = node.gradient();
    if (fault == Fault.IGNORES_UPSTREAM) {
      dy = node.make(x.dtype(), x.shape());
      dy.fill(1);
    }
    double factor =
        switch (fault) {
          case SIGN -> -2;
          case DROPPED_TERM -> 1;
          default -> 2;
        };
    long n = x.elements() - (fault == Fault.LAST_ELEMENT ? 1 : 0);
    if (n < x.elements() && !accumulate) {
      dx.tensor().fill(0);
    }
    scaledProduct(node, x, dy, dx.tensor(), factor, n, accumulate);
  }

  /** y (+)= factor a b over the first n elements. */
  private static void scaledProduct(
      Node node, Tensor a, Tensor b, Tensor y, double factor, long n, boolean accumulate) {
    Tensor product = node.make(a.dtype(), a.shape());
    node.run(
        Kernel.BINARY_FORWARD,
        new Arguments.BinaryForward(
            Engine.address(a),
            Engine.address(b),
            Engine.address(product),
            1,
            1,
            1,
            n,
            0,
            0,
            0,
            1,
            0,
            0,
            0,
            1,
            BinaryFunction.MULTIPLY,
            0));
    node.run(
        Kernel.COPY_ROWS,
        new Arguments.CopyRows(
            Engine.address(product), Engine.address(y), 1, n, n, n, factor, accumulate));
    node.release(product);
  }
}
