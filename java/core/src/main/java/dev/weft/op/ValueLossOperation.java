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
import dev.weft.device.ValueLossFunction;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A loss of each element x against its target t, or their sum or mean over all elements; {@link
 * ValueLossFunction} has the formulas.
 *
 * <p>x and t are of one shape, (rows, ...), t of the wide type of x, y of that type: x's shape, or
 * a scalar. Backward: dx = dy df/dx, which the forward pass has computed along with the loss; t
 * gets a gradient, the same less its sign, where f is of x - t; it is rounded as dx is where x is
 * BF16.
 *
 * <p>Weights, where rows have some, are the third input, see {@link RowWeights#GIVEN}. One more is
 * what p is for {@code LOGISTIC}, (the elements of a row), by which a positive answer counts more
 * than a negative one: PyTorch's {@code pos_weight}. It gets no gradient.
 *
 * @param alpha the function's parameter, where it takes one: positive and finite; an epsilon may be
 *     0
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

  /** Checks alpha, by the name that the loss has for it. */
  public ValueLossOperation {
    boolean least = alpha == 0 && function == ValueLossFunction.EPSILON_INSENSITIVE;
    if (!(alpha > 0 && alpha < Double.POSITIVE_INFINITY) && !least) {
      throw new IllegalArgumentException(
          format(
              "the %s of %s must be %s and finite, not %s",
              switch (function) {
                case HUBER -> "delta";
                case EPSILON_INSENSITIVE -> "epsilon";
                case HINGE, SQUARED_HINGE -> "margin";
                case SQUARED, ABSOLUTE, LOGISTIC -> "alpha";
              },
              name(function, reduction),
              function == ValueLossFunction.EPSILON_INSENSITIVE ? "at least 0" : "positive",
              alpha));
    }
  }

  /** With the usual alpha, of rows that count alike. */
  public ValueLossOperation(ValueLossFunction function, LossReduction reduction) {
    this(function, function.defaultAlpha(), reduction, RowWeights.EQUAL);
  }

  /** What a loss is called, wherever it is: the sum of squares is another than their mean. */
  public static String name(ValueLossFunction function, LossReduction reduction) {
    return switch (function) {
      case SQUARED -> reduction == LossReduction.SUM ? "sum_of_squares" : "mean_squared_error";
      case ABSOLUTE -> "mean_absolute_error";
      case LOGISTIC -> "binary_cross_entropy";
      case HUBER, HINGE, SQUARED_HINGE, EPSILON_INSENSITIVE -> function.token();
    };
  }

  @Override
  public String name() {
    return name(function, reduction);
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

  @Override
  public Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    LossInputs.checkStill(node, tangents, OF_DIFFERENCE.contains(function) ? 2 : 1);
    Tensor dx = tangents.get(0);
    Tensor dt = tangents.get(1);
    Tensor moved =
        TangentSum.of(on, dx == null ? null : on.wide(dx), dt == null ? null : on.negate(dt));
    Tensor x = LossInputs.counted(on, node, on.wide(node.input(0)), weights);
    Tensor t = LossInputs.counted(on, node, node.input(1), weights);
    Tensor slopes = slopes(on, node, x, t);
    return LossInputs.tangent(on, node, on.multiply(slopes, moved), weights, reduction);
  }

  /** df/dx. */
  private Tensor slopes(Operations on, Node node, Tensor x, Tensor t) {
    Tensor d = on.subtract(x, t);
    return switch (function) {
      case SQUARED -> on.scale(d, 2);
      case ABSOLUTE -> sign(on, d);
      case HUBER -> on.clamp(d, -alpha, alpha);
      case LOGISTIC -> {
        Tensor hit = t;
        int place = weights == RowWeights.EQUAL ? 2 : 3;
        if (node.inputs().size() > place) {
          long[] row = x.shape().rank() == 0 ? new long[0] : x.shape().with(0, 1).toArray();
          hit = on.multiply(t, on.reshape(node.input(place), row));
        }
        Tensor both = on.add(hit, on.not(t));
        yield on.subtract(on.multiply(on.sigmoid(x), both), hit);
      }
      case HINGE -> on.negate(on.multiply(t, positive(on, lacking(on, x, t))));
      case SQUARED_HINGE -> on.scale(on.multiply(t, on.relu(lacking(on, x, t))), -2);
      case EPSILON_INSENSITIVE ->
          on.multiply(positive(on, on.shift(on.abs(d), -alpha)), sign(on, d));
    };
  }

  /** alpha - t x. */
  private Tensor lacking(Operations on, Tensor x, Tensor t) {
    return on.shift(on.negate(on.multiply(t, x)), alpha);
  }

  /** 1 where x is above 0, else 0. */
  private static Tensor positive(Operations on, Tensor x) {
    return on.greater(x, on.negate(x));
  }

  private static Tensor sign(Operations on, Tensor x) {
    return on.subtract(positive(on, x), positive(on, on.negate(x)));
  }
}
