// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;
import dev.weft.device.Nonlinearity;
import dev.weft.op.BiasActivation;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * An activation as a layer: y = f(x), any shape.
 *
 * @param function the name of f: {@code leaky_relu}, {@code elu}, or that of a constant here in
 *     lower case, as {@code hard_tanh}
 * @param alpha the slope of leaky ReLU or the scale of ELU; for the others, which take none, 1
 */
public record Activation(String function, double alpha) implements Layer {
  /** x. */
  public static final Activation IDENTITY = of(Nonlinearity.IDENTITY);

  /** max(0, x). */
  public static final Activation RELU = of(Nonlinearity.RELU);

  /** 1 / (1 + e^-x). */
  public static final Activation SIGMOID = of(Nonlinearity.SIGMOID);

  /** The hyperbolic tangent. */
  public static final Activation TANH = of(Nonlinearity.TANH);

  /** x Phi(x). */
  public static final Activation GELU = of(Nonlinearity.GELU);

  /** x sigmoid(x). */
  public static final Activation SILU = of(Nonlinearity.SILU);

  /** log(1 + e^x). */
  public static final Activation SOFTPLUS = of(Nonlinearity.SOFTPLUS);

  /** min(1, max(0, x / 6 + 1/2)). */
  public static final Activation HARD_SIGMOID = of(Nonlinearity.HARD_SIGMOID);

  /** min(1, max(-1, x)). */
  public static final Activation HARD_TANH = of(Nonlinearity.HARD_TANH);

  /** x min(1, max(0, x / 6 + 1/2)). */
  public static final Activation HARD_SWISH = of(Nonlinearity.HARD_SWISH);

  /**
   * Checks the settings.
   *
   * @throws IllegalArgumentException where there is no such function, or alpha is negative,
   *     infinite or NaN, or would be ignored
   */
  public Activation {
    Nonlinearity known = nonlinearity(function);
    alpha = BiasActivation.alpha(known, alpha);
    new BiasActivation(known, alpha);
  }

  private static Activation of(Nonlinearity function) {
    return new Activation(function.token(), function.defaultAlpha());
  }

  /**
   * The activation of this name with its usual alpha, 0.01 for leaky ReLU and 1 for ELU: {@code
   * relu}, {@code leaky_relu}, {@code hard_tanh}.
   *
   * @throws IllegalArgumentException that lists all names, where there is none of this
   */
  public static Activation named(String name) {
    return of(nonlinearity(name));
  }

  private static Nonlinearity nonlinearity(String name) {
    Nonlinearity function = Nonlinearity.named(name);
    if (function == null) {
      throw new IllegalArgumentException(
          format(
              "unknown activation '%s': there are %s",
              name,
              Stream.of(Nonlinearity.values())
                  .map(Nonlinearity::token)
                  .collect(Collectors.joining(", "))));
    }
    return function;
  }

  /** The function, as kernels know it. */
  Nonlinearity nonlinearity() {
    return nonlinearity(function);
  }

  /** x for x at least 0, else slope x. */
  public static Activation leakyRelu(double slope) {
    return new Activation(Nonlinearity.LEAKY_RELU.token(), slope);
  }

  /** x for x at least 0, else alpha (e^x - 1). */
  public static Activation elu(double alpha) {
    return new Activation(Nonlinearity.ELU.token(), alpha);
  }

  @Override
  public Tensor forward(Operations operations, Tensor x) {
    return operations.apply(new BiasActivation(nonlinearity(), alpha), x);
  }

  @Override
  public RowType output(RowType input) {
    LastAxis.checkNumbers(this, input);
    return input;
  }

  @Override
  public Map<String, Object> settings() {
    return Map.of("function", function, "alpha", alpha);
  }

  @Override
  public String spec() {
    return alpha == nonlinearity().defaultAlpha() ? function : format("%s(%s)", function, alpha);
  }
}
