// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;
import static java.util.stream.Collectors.joining;

import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Operations;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import dev.weft.device.Nonlinearity;
import dev.weft.device.ReductionFunction;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * y = f(x + b): bias and activation in one pass.
 *
 * <p>x (rows, cols) or any shape when there is no bias; b (cols), optional; y as x. Backward: dx =
 * dy f'(x + b); db = column sums of dx.
 *
 * @param function f
 * @param alpha the slope of leaky ReLU or the scale of ELU, at least 0; unused by the others
 * @param memory whether the result may take the place of x
 */
public record BiasActivation(Nonlinearity function, double alpha, Memory memory)
    implements Operation {
  private static final Operands OPERANDS = Operands.floating("x", "b").atLeast(1);

  /** Whether an operation may overwrite its input. */
  public enum Memory {
    /** The input stays as it is. */
    NEW,
    /** The output overwrites the input, which nobody may read afterwards. */
    IN_PLACE
  }

  /** Checks the settings. */
  public BiasActivation {
    if (!(alpha >= 0) || Double.isInfinite(alpha)) {
      throw new IllegalArgumentException(
          format("%s needs a finite alpha of at least 0, not %s", function.token(), alpha));
    }
  }

  /** An activation that leaves its input as it is. */
  public BiasActivation(Nonlinearity function, double alpha) {
    this(function, alpha, Memory.NEW);
  }

  /**
   * The alpha that a function has when it is given this one: the same where it takes one, else its
   * default.
   *
   * @throws IllegalArgumentException where the function takes none and this is neither 0 nor the
   *     default: it would be ignored
   */
  public static double alpha(Nonlinearity function, double alpha) {
    if (function.takesAlpha()) {
      return alpha;
    }
    if (alpha != 0 && alpha != function.defaultAlpha()) {
      String others =
          Stream.of(Nonlinearity.values())
              .filter(Nonlinearity::takesAlpha)
              .map(Nonlinearity::token)
              .collect(joining(" and "));
      throw new IllegalArgumentException(
          format(
              "%s takes no alpha, and %s would be ignored: %s take one",
              function.token(), alpha, others));
    }
    return function.defaultAlpha();
  }

  @Override
  public String name() {
    return "bias_activation_" + function.token();
  }

  @Override
  public String sign(int inputs) {
    String f = function == Nonlinearity.SIGMOID ? "σ" : function.token();
    if (inputs == 1) {
      return f;
    }
    return function == Nonlinearity.IDENTITY ? "+" : format("%s(x + b)", f);
  }

  @Override
  public boolean overwritesInput() {
    return memory == Memory.IN_PLACE && !function.derivativeNeedsInput();
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor x = node.input(0);
    Tensor b = node.inputs().size() > 1 ? node.input(1) : null;
    long cols = x.shape().rank() == 0 ? 1 : x.shape().size(-1);
    if (b != null && !b.shape().equals(Shape.of(cols))) {
      throw new IllegalArgumentException(
          format(
              "a bias of shape %s does not fit x of shape %s: it needs [%d]",
              b.shape(), x.shape(), cols));
    }
    Tensor y = overwritesInput() ? x.view(0, x.shape()) : node.make(x.dtype(), x.shape());
    node.run(
        Kernel.BIAS_ACTIVATION_FORWARD,
        new Arguments.BiasActivationForward(
            Engine.address(x),
            b == null ? 0 : Engine.address(b),
            Engine.address(y),
            cols == 0 ? 0 : x.elements() / cols,
            cols,
            function,
            alpha));
    return y;
  }

  @Override
  public void backward(Node node) {
    Tensor x = node.input(0);
    boolean bias = node.inputs().size() > 1;
    Tensor y = node.output();
    Tensor dx = node.takeGradient();
    long cols = x.shape().rank() == 0 ? 1 : x.shape().size(-1);
    long rows = cols == 0 ? 0 : x.elements() / cols;
    boolean wantsBias = bias && node.wants(1);
    if (function == Nonlinearity.IDENTITY) {
      if (wantsBias) {
        Node.Sink db = node.into(1, node.input(1).dtype().wide());
        Reduction.run(
            node, dx, db.tensor(), 1, rows, cols, ReductionFunction.SUM, 1, db.accumulate());
      }
    } else if (wantsBias) {
      differentiate(node, dx, rows, cols);
    } else {
      boolean needsX = function.derivativeNeedsInput();
      node.run(
          Kernel.BIAS_ACTIVATION_BACKWARD,
          new Arguments.BiasActivationBackward(
              needsX ? Engine.address(x) : 0,
              needsX && bias ? Engine.address(node.input(1)) : 0,
              Engine.address(y),
              Engine.address(dx),
              Engine.address(dx),
              rows,
              cols,
              function,
              alpha,
              false));
    }
    if (node.wants(0)) {
      node.adopt(0, dx);
    } else {
      node.release(dx);
    }
  }

  @Override
  public Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    Tensor dz = TangentSum.of(on, tangents.toArray(Tensor[]::new));
    Tensor y = node.output();
    return switch (function) {
      case IDENTITY -> dz;
      case SIGMOID -> on.multiply(dz, on.subtract(y, on.square(y)));
      case TANH -> on.multiply(dz, on.shift(on.negate(on.square(y)), 1));
      case RELU -> on.multiply(dz, positive(on, y));
      case LEAKY_RELU -> on.multiply(dz, on.shift(on.scale(positive(on, y), 1 - alpha), alpha));
      case ELU -> { // y + alpha where y is below 0, else 1
        Tensor above = on.shift(on.scale(positive(on, y), 1 - alpha), alpha);
        yield on.multiply(dz, on.subtract(above, on.relu(on.negate(y))));
      }
      case SOFTPLUS -> on.multiply(dz, on.negate(on.elu(on.negate(y), 1))); // 1 - e^-y
      case GELU -> {
        Tensor z = sum(on, node);
        Tensor below = on.scale(on.shift(on.erf(on.scale(z, Math.sqrt(0.5))), 1), 0.5);
        Tensor density = on.scale(on.exp(on.scale(on.square(z), -0.5)), 1 / Math.sqrt(2 * Math.PI));
        yield on.multiply(dz, on.add(below, on.multiply(z, density)));
      }
      case SILU -> {
        Tensor z = sum(on, node);
        Tensor s = on.sigmoid(z);
        yield on.multiply(dz, on.add(s, on.multiply(y, on.shift(on.negate(s), 1))));
      }
      case HARD_SIGMOID -> on.scale(on.multiply(dz, sloped(on, node)), 1.0 / 6);
      case HARD_TANH -> on.multiply(dz, positive(on, on.shift(on.negate(on.square(y)), 1)));
      case HARD_SWISH -> {
        Tensor z = sum(on, node);
        Tensor slope = on.scale(on.multiply(z, sloped(on, node)), 1.0 / 6);
        yield on.multiply(dz, on.add(on.hardSigmoid(z), slope));
      }
    };
  }

  /** x + b. */
  private static Tensor sum(Operations on, Node node) {
    return node.inputs().size() > 1 ? on.add(node.input(0), node.input(1)) : node.input(0);
  }

  /** 1 where |x + b| is below 3, else 0; y, and in BF16 x + b, are rounded to where it is not. */
  private static Tensor sloped(Operations on, Node node) {
    Tensor z = on.wide(node.input(0));
    if (node.inputs().size() > 1) {
      z = on.add(z, on.wide(node.input(1)));
    }
    Tensor left = on.shift(on.negate(on.abs(z)), 3);
    return on.cast(positive(on, left), node.output().dtype());
  }

  /** 1 where y is above 0, else 0. */
  private static Tensor positive(Operations on, Tensor y) {
    return on.greater(y, on.negate(y));
  }

  /** Turns dy into dx, and adds up its columns on the way: in parts where there are many rows. */
  private void differentiate(Node node, Tensor dx, long rows, long cols) {
    boolean needsX = function.derivativeNeedsInput();
    Node.Sink db = node.into(1, node.input(1).dtype().wide());
    long parts = Reduction.parts(1, rows, cols);
    Tensor sums = parts == 1 ? db.tensor() : node.make(db.tensor().dtype(), Shape.of(parts, cols));
    node.run(
        Kernel.BIAS_ACTIVATION_GRADIENTS,
        new Arguments.BiasActivationGradients(
            needsX ? Engine.address(node.input(0)) : 0,
            needsX ? Engine.address(node.input(1)) : 0,
            Engine.address(node.output()),
            Engine.address(dx),
            Engine.address(dx),
            Engine.address(sums),
            rows,
            cols,
            parts,
            function,
            alpha,
            parts == 1 && db.accumulate()));
    if (parts > 1) {
      Reduction.run(
          node, sums, db.tensor(), 1, parts, cols, ReductionFunction.SUM, 1, db.accumulate());
      node.release(sums);
    }
  }
}
