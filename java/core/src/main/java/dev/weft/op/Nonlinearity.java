// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

/**
 * Activation functions, in the order of {@code weft_activation} in {@code native/abi/kernels.h}.
 */
public enum Nonlinearity {
  /** x. */
  IDENTITY,
  /** 1 / (1 + e^-x). */
  SIGMOID,
  /** The hyperbolic tangent. */
  TANH,
  /** max(0, x). */
  RELU,
  /** x for x at least 0, else alpha x. */
  LEAKY_RELU,
  /** x for x at least 0, else alpha (e^x - 1). */
  ELU,
  /** log(1 + e^x). */
  SOFTPLUS,
  /** x Phi(x), Phi the standard normal's distribution function (exact, not the tanh form). */
  GELU,
  /** x sigmoid(x), also called swish. */
  SILU;

  /** Whether the derivative needs x; the others are determined by f(x). */
  public boolean derivativeNeedsInput() {
    return this == GELU || this == SILU;
  }

  /** The alpha of {@link BiasActivation} where none is given: as in PyTorch. */
  public double defaultAlpha() {
    return this == LEAKY_RELU ? 0.01 : 1;
  }

  /** Whether alpha is a part of the function: leaky ReLU's slope and ELU's scale. */
  public boolean takesAlpha() {
    return this == LEAKY_RELU || this == ELU;
  }

  /**
   * The alpha that the function has when it is given this one: the same where it takes one, else
   * {@link #defaultAlpha}.
   *
   * @throws IllegalArgumentException where the function takes none and this is neither 0 nor the
   *     default: it would be ignored
   */
  public double checkAlpha(double alpha) {
    if (takesAlpha()) {
      return alpha;
    }
    if (alpha != 0 && alpha != defaultAlpha()) {
      throw new IllegalArgumentException(
          format(
              "%s takes no alpha, and %s would be ignored: leaky_relu and elu take one",
              token(), alpha));
    }
    return defaultAlpha();
  }

  /** The name on the command line and in files: {@code leaky_relu}. */
  public String token() {
    return name().toLowerCase(ROOT);
  }

  /** The one of that {@link #token}, or null. */
  public static Nonlinearity named(String token) {
    for (Nonlinearity function : values()) {
      if (function.token().equals(token)) {
        return function;
      }
    }
    return null;
  }
}
