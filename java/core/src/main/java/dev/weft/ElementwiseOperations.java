// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import dev.weft.device.BinaryFunction;
import dev.weft.device.Nonlinearity;
import dev.weft.device.UnaryFunction;
import dev.weft.op.BiasActivation;
import dev.weft.op.Binary;
import dev.weft.op.Cast;
import dev.weft.op.DropoutOperation;
import dev.weft.op.Unary;

/**
 * The operations that take each element by itself: arithmetic with broadcasting, functions,
 * activations, casts, dropout. {@link Operations} says what holds for all.
 */
public interface ElementwiseOperations extends Execution {

  /**
   * a + b, broadcasting.
   *
   * @throws IllegalArgumentException with both shapes, where they do not fit
   */
  default Tensor add(Tensor a, Tensor b) {
    return binary(BinaryFunction.ADD, a, b);
  }

  /**
   * a - b, broadcasting.
   *
   * @throws IllegalArgumentException as {@link #add}
   */
  default Tensor subtract(Tensor a, Tensor b) {
    return binary(BinaryFunction.SUBTRACT, a, b);
  }

  /**
   * a b, element by element, broadcasting.
   *
   * @throws IllegalArgumentException as {@link #add}
   */
  default Tensor multiply(Tensor a, Tensor b) {
    return binary(BinaryFunction.MULTIPLY, a, b);
  }

  /**
   * a / b, element by element, broadcasting.
   *
   * @throws IllegalArgumentException as {@link #add}
   */
  default Tensor divide(Tensor a, Tensor b) {
    return binary(BinaryFunction.DIVIDE, a, b);
  }

  /**
   * The larger of a and b, element by element, broadcasting.
   *
   * @throws IllegalArgumentException as {@link #add}
   */
  default Tensor maximum(Tensor a, Tensor b) {
    return binary(BinaryFunction.MAXIMUM, a, b);
  }

  /**
   * The smaller of a and b, element by element, broadcasting.
   *
   * @throws IllegalArgumentException as {@link #add}
   */
  default Tensor minimum(Tensor a, Tensor b) {
    return binary(BinaryFunction.MINIMUM, a, b);
  }

  /** factor x; any shape. */
  default Tensor scale(Tensor x, double factor) {
    return unary(UnaryFunction.SCALE, factor, x);
  }

  /** x + summand; any shape. */
  default Tensor shift(Tensor x, double summand) {
    return unary(UnaryFunction.SHIFT, summand, x);
  }

  /** -x; any shape. */
  default Tensor negate(Tensor x) {
    return scale(x, -1);
  }

  /** e^x; any shape. */
  default Tensor exp(Tensor x) {
    return unary(UnaryFunction.EXP, 0, x);
  }

  /** The natural logarithm of x, NaN below 0; any shape. */
  default Tensor log(Tensor x) {
    return unary(UnaryFunction.LOG, 0, x);
  }

  /** x²; any shape. */
  default Tensor square(Tensor x) {
    return unary(UnaryFunction.SQUARE, 0, x);
  }

  /** √x, NaN below 0; any shape. */
  default Tensor sqrt(Tensor x) {
    return unary(UnaryFunction.SQRT, 0, x);
  }

  /** x^exponent; any shape. */
  default Tensor pow(Tensor x, double exponent) {
    return unary(UnaryFunction.POW, exponent, x);
  }

  /** 1 / x; any shape. */
  default Tensor reciprocal(Tensor x) {
    return unary(UnaryFunction.RECIPROCAL, 0, x);
  }

  /** |x|, with derivative 0 at 0; any shape. */
  default Tensor abs(Tensor x) {
    return unary(UnaryFunction.ABS, 0, x);
  }

  /** 1 / (1 + e^-x); any shape. */
  default Tensor sigmoid(Tensor x) {
    return activation(Nonlinearity.SIGMOID, x);
  }

  /** The hyperbolic tangent of x; any shape. */
  default Tensor tanh(Tensor x) {
    return activation(Nonlinearity.TANH, x);
  }

  /** max(0, x); any shape. */
  default Tensor relu(Tensor x) {
    return activation(Nonlinearity.RELU, x);
  }

  /**
   * x for x at least 0, else slope x; any shape.
   *
   * @param slope 0.01 is usual
   * @throws IllegalArgumentException where {@code slope} is negative or not finite
   */
  default Tensor leakyRelu(Tensor x, double slope) {
    return apply(new BiasActivation(Nonlinearity.LEAKY_RELU, slope), x);
  }

  /**
   * x for x at least 0, else alpha (e^x - 1); any shape.
   *
   * @param alpha 1 is usual
   * @throws IllegalArgumentException where {@code alpha} is negative or not finite
   */
  default Tensor elu(Tensor x, double alpha) {
    return apply(new BiasActivation(Nonlinearity.ELU, alpha), x);
  }

  /** log(1 + e^x); any shape. */
  default Tensor softplus(Tensor x) {
    return activation(Nonlinearity.SOFTPLUS, x);
  }

  /** x Phi(x), Phi the standard normal's distribution function (not the tanh form); any shape. */
  default Tensor gelu(Tensor x) {
    return activation(Nonlinearity.GELU, x);
  }

  /** x sigmoid(x), also called swish; any shape. */
  default Tensor silu(Tensor x) {
    return activation(Nonlinearity.SILU, x);
  }

  /**
   * x in another type; x itself where it has that type already. Floating-point values are rounded
   * to the nearest, infinite where one is too large, and to an integer type cut off toward zero. A
   * result of an integer type has no gradient.
   *
   * @throws IllegalArgumentException where an integer type does not hold a value: NaN, or one that
   *     is too large
   * @throws IllegalStateException within {@link Device#record}, unless it is between F32 and BF16:
   *     every other cast goes through host memory
   */
  default Tensor cast(Tensor x, DType dtype) {
    return apply(new Cast(dtype), x);
  }

  /** x in the type that sums over it have, {@link DType#wide}: BF16 as F32, others as they are. */
  default Tensor wide(Tensor x) {
    return cast(x, x.dtype().wide());
  }

  /**
   * Inverted dropout, x_i / (1 - rate) where element i is kept and else 0; in inference mode, or at
   * rate 0, x itself. Any shape.
   *
   * @throws IllegalArgumentException where {@code rate} is outside [0, 1)
   */
  default Tensor dropout(Tensor x, double rate) {
    return apply(new DropoutOperation(rate), x);
  }

  private Tensor activation(Nonlinearity function, Tensor x) {
    return apply(new BiasActivation(function, function.defaultAlpha()), x);
  }

  private Tensor unary(UnaryFunction function, double alpha, Tensor x) {
    return apply(new Unary(function, alpha), x);
  }

  private Tensor binary(BinaryFunction function, Tensor a, Tensor b) {
    return apply(new Binary(function), a, b);
  }
}
