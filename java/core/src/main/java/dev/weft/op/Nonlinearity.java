// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

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
