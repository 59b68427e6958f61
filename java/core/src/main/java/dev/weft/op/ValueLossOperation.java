// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;

import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import dev.weft.device.ValueLossFunction;
import java.util.EnumSet;
import java.util.Set;

/**
 * A loss of each element x against its target t, or their sum or mean over all elements; {@link
 * ValueLossFunction} has the formulas.
 *
 * <p>x and t are of one shape, (rows, ...), t of the wide type of x, y of that type: x's shape, or
 * a scalar. Backward: dx = dy df/dx, which the forward pass has computed along with the loss; t
 * gets a gradient, the same less its sign, where f is of x - t.
 *
 * <p>Weights, where rows have some, are the third input, see {@link RowWeights#GIVEN}. One more is
 * what p is for {@code LOGISTIC}, (the elements of a row), by which a positive answer counts more
 * than a negative one: PyTorch's {@code pos_weight}. It gets no gradient.
 *
 * @param alpha the function's parameter, where it takes one: positive and finite
 */
public record ValueLossOperation(
    ValueLossFunction function, double alpha, LossReduction reduction, RowWeights weights)
    implements Operation {
  private static final long SUMMED = 1024; // elements of a partial sum
  private static final Set<ValueLossFunction> OF_DIFFERENCE =
      EnumSet.of(
          ValueLossFunction.SQUARED,
          ValueLossFunction.ABSOLUTE,
          ValueLossFunction.HUBER,
          ValueLossFunction.EPSILON_INSENSITIVE);
  private static final Operands OPERANDS = Operands.floating("x").andAny("t").andAny("positive");
  private static final Operands WEIGHTED =
      Operands.floating("x").andAny("t").andAny("weights").andAny("positive");

  /** Checks alpha. */
  public ValueLossOperation {
    boolean least = alpha == 0 && function == ValueLossFunction.EPSILON_INSENSITIVE;
    if (!(alpha > 0 && alpha < Double.POSITIVE_INFINITY) && !least) {
      throw new IllegalArgumentException(
          format("the alpha of %s must be positive and finite, not %s", function.token(), alpha));
    }
  }

  /** With the usual alpha, of rows that count alike. */
  public ValueLossOperation(ValueLossFunction function, LossReduction reduction) {
    this(function, function.defaultAlpha(), reduction, RowWeights.EQUAL);
  }

  @Override
  public String name() {
    return "value_loss_" + function.token();
  }

  @Override
  public Operands operands() {
    return weights == RowWeights.EQUAL ? OPERANDS.atLeast(2) : WEIGHTED.atLeast(3);
  }

  @Override
  public Tensor forward(Node node) {
    Tensor x = node.input(0);
    Tensor t = node.input(1);
    if (!t.shape().equals(x.shape()) || t.dtype() != x.dtype().wide()) {
      throw new IllegalArgumentException(
          format(
              "%s compares x %s with t of its shape and of type %s, not with %s",
              name(), Engine.describe(x), x.dtype().wide(), Engine.describe(t)));
    }
    if (!OF_DIFFERENCE.contains(function)) {
      LossInputs.check(node, 1, "targets", x.shape());
    }
    long n = x.elements();
    long rows = x.shape().rank() == 0 ? 1 : x.shape().size(0);
    long cols = rows == 0 ? 0 : n / rows;
    Tensor w = LossInputs.weights(node, weights, 2, rows);
    int next = w == null ? 2 : 3;
    Tensor positive =
        node.inputs().size() <= next
            ? null
            : LossInputs.check(node, next, "positive weights", Shape.of(cols));
    boolean each = reduction == LossReduction.NONE;
    Shape shape = each ? x.shape() : Shape.of(Math.ceilDiv(n, SUMMED));
    Tensor losses = node.make(x.dtype().wide(), shape); // or sums of them
    Tensor dx = node.wants(0) || node.wants(1) ? node.make(x.dtype(), x.shape()) : null;
    long address = Engine.address(losses);
    node.run(
        Kernel.VALUE_LOSS,
        new Arguments.ValueLoss(
            Engine.address(x),
            Engine.address(t),
            LossInputs.address(w),
            LossInputs.address(positive),
            each ? address : 0,
            each ? 0 : address,
            LossInputs.address(dx),
            rows,
            cols,
            function,
            alpha,
            LossInputs.scale(reduction, n)));
    if (dx != null) {
      node.save(dx);
    }
    return LossInputs.reduced(node, losses, reduction, n);
  }

  @Override
  public void backward(Node node) {
    if (node.wants(1)) {
      LossInputs.backward(node, 1, -1);
    }
    if (node.wants(0)) {
      LossInputs.backward(node, 0, 1);
    }
  }
}
