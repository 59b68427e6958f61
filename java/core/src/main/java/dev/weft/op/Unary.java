// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.significant;
import static java.util.Locale.ROOT;

import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Operations;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import dev.weft.device.UnaryFunction;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * y = f(x), element by element; any shape. Backward: dx = dy f'(x).
 *
 * @param function f
 * @param alpha the factor of SCALE, the summand of SHIFT, the exponent of POW; unused by the others
 */
public record Unary(UnaryFunction function, double alpha) implements Operation {
  private static final Operands OPERANDS = Operands.floating("x");

  @Override
  public String name() {
    return "unary_" + function.name().toLowerCase(ROOT);
  }

  @Override
  public String sign(int inputs) {
    return switch (function) {
      case SCALE -> "× " + significant(alpha, 4);
      case SHIFT -> "+ " + significant(alpha, 4);
      case POW -> "^ " + significant(alpha, 4);
      case SQUARE -> "^ 2";
      case SQRT -> "√";
      case RECIPROCAL -> "1/x";
      case ABS -> "|x|";
      default -> function.token();
    };
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor x = node.input(0);
    Tensor y = node.make(x.dtype(), x.shape());
    node.run(
        Kernel.UNARY_FORWARD,
        new Arguments.UnaryForward(
            Engine.address(x), Engine.address(y), x.elements(), function, alpha));
    return y;
  }

  @Override
  public void backward(Node node) {
    if (!node.wants(0)) {
      return;
    }
    Tensor x = node.input(0);
    Node.Sink dx = node.into(0);
    node.run(
        Kernel.UNARY_BACKWARD,
        new Arguments.UnaryBackward(
            Engine.address(x),
            Engine.address(node.output()),
            Engine.address(node.gradient()),
            Engine.address(dx.tensor()),
            x.elements(),
            function,
            alpha,
            dx.accumulate()));
  }

  @Override
  public @Nullable Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    Tensor x = node.input(0);
    Tensor y = node.output();
    Tensor dx = tangents.get(0);
    return switch (function) {
      case SCALE -> on.scale(dx, alpha);
      case SHIFT -> dx;
      case EXP -> on.multiply(dx, y);
      case LOG -> on.divide(dx, x);
      case SQUARE -> on.scale(on.multiply(dx, x), 2);
      case SQRT -> on.scale(on.divide(dx, y), 0.5);
      case POW -> alpha == 0 ? null : on.multiply(dx, on.scale(on.pow(x, alpha - 1), alpha));
      case RECIPROCAL -> on.negate(on.multiply(dx, on.square(y)));
      case ABS -> on.multiply(dx, on.subtract(on.equal(x, y), on.equal(on.negate(x), y)));
      case AT_LEAST, AT_MOST -> on.multiply(dx, on.equal(x, y));
      case ERF -> {
        Tensor density = on.exp(on.negate(on.square(x)));
        yield on.scale(on.multiply(dx, density), 2 / Math.sqrt(Math.PI));
      }
      case NORM_ROOT -> { // 0 where y is 0
        Tensor zero = on.equal(y, on.negate(y));
        Tensor slope = on.divide(on.scale(on.not(zero), 0.5), on.add(y, zero));
        yield on.multiply(dx, slope);
      }
    };
  }
}
