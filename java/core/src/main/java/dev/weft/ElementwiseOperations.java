// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;

import dev.weft.device.BinaryFunction;
import dev.weft.device.Nonlinearity;
import dev.weft.device.ReductionFunction;
import dev.weft.device.UnaryFunction;
import dev.weft.op.BiasActivation;
import dev.weft.op.Binary;
import dev.weft.op.BroadcastTo;
import dev.weft.op.Cast;
import dev.weft.op.DropoutOperation;
import dev.weft.op.Operands;
import dev.weft.op.Reduction;
import dev.weft.op.Reshape;
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

  /**
   * 1 where a is greater than b, else 0, of their type; broadcasting. Without gradient, as all
   * comparisons.
   *
   * @throws IllegalArgumentException as {@link #add}
   */
  default Tensor greater(Tensor a, Tensor b) {
    return compare(BinaryFunction.GREATER, a, b);
  }

  /**
   * 1 where a is at least b, else 0; as {@link #greater}.
   *
   * @throws IllegalArgumentException as {@link #add}
   */
  default Tensor greaterOrEqual(Tensor a, Tensor b) {
    return compare(BinaryFunction.GREATER_OR_EQUAL, a, b);
  }

  /**
   * 1 where a is less than b, else 0; as {@link #greater}.
   *
   * @throws IllegalArgumentException as {@link #add}
   */
  default Tensor less(Tensor a, Tensor b) {
    return greater(b, a);
  }

  /**
   * 1 where a is at most b, else 0; as {@link #greater}.
   *
   * @throws IllegalArgumentException as {@link #add}
   */
  default Tensor lessOrEqual(Tensor a, Tensor b) {
    return greaterOrEqual(b, a);
  }

  /**
   * 1 where a is b, else 0; as {@link #greater}. NaN is equal to nothing.
   *
   * @throws IllegalArgumentException as {@link #add}
   */
  default Tensor equal(Tensor a, Tensor b) {
    return compare(BinaryFunction.EQUAL, a, b);
  }

  /**
   * 1 where a is not b, else 0; as {@link #greater}. NaN is equal to nothing.
   *
   * @throws IllegalArgumentException as {@link #add}
   */
  default Tensor notEqual(Tensor a, Tensor b) {
    Tensor equal = equal(a, b);
    return withoutGradient(() -> not(equal));
  }

  /** 1 where a mask is 0, 0 where it is 1; any shape. Of two masks, "and" is {@link #multiply}. */
  default Tensor not(Tensor mask) {
    return shift(negate(mask), 1);
  }

  /**
   * a where the mask is not 0, else b; all three broadcast. A choice, no product: what is not taken
   * has gradient 0, and no NaN or infinity of it comes through.
   *
   * @param mask of the type of a and b; without gradient
   * @throws IllegalArgumentException with the shapes, where they do not fit
   */
  default Tensor where(Tensor mask, Tensor a, Tensor b) {
    check("where", Operands.floating("mask", "a", "b"), mask, a, b);
    try {
      Shape.broadcast(Shape.broadcast(mask.shape(), a.shape()), b.shape());
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          format("where of %s, %s and %s: %s", mask.shape(), a.shape(), b.shape(), e.getMessage()),
          e);
    }
    return add(binary(BinaryFunction.KEEP, a, mask), binary(BinaryFunction.DROP, b, mask));
  }

  /**
   * A value where the mask is not 0, else x; they broadcast. x has gradient 0 where it is not
   * taken.
   *
   * @param mask of the type of x; without gradient
   * @param value may be infinite: -infinity takes an entry out of a softmax
   * @throws IllegalArgumentException as {@link #add}
   */
  default Tensor maskedFill(Tensor x, Tensor mask, double value) {
    return binary(new Binary(BinaryFunction.DROP, value), x, mask);
  }

  /**
   * x, but at least {@code low} and at most {@code high}; its derivative is 1 in between, the two
   * included, and else 0; any shape.
   *
   * @throws IllegalArgumentException where {@code low} is greater than {@code high}, or one is NaN
   */
  default Tensor clamp(Tensor x, double low, double high) {
    if (!(low <= high)) {
      throw new IllegalArgumentException(
          format("clamp needs a low that is at most high, not %s and %s", low, high));
    }
    return unary(UnaryFunction.AT_MOST, high, unary(UnaryFunction.AT_LEAST, low, x));
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

  /** The error function, 2 / √π times the integral of e^-t² from 0 to x; any shape. */
  default Tensor erf(Tensor x) {
    return unary(UnaryFunction.ERF, 0, x);
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

  /** min(1, max(0, x / 6 + 1/2)), a sigmoid of straight lines; any shape. */
  default Tensor hardSigmoid(Tensor x) {
    return activation(Nonlinearity.HARD_SIGMOID, x);
  }

  /** min(1, max(-1, x)); any shape. */
  default Tensor hardTanh(Tensor x) {
    return activation(Nonlinearity.HARD_TANH, x);
  }

  /** x {@link #hardSigmoid}(x); any shape. */
  default Tensor hardSwish(Tensor x) {
    return activation(Nonlinearity.HARD_SWISH, x);
  }

  /**
   * x where it is positive, else slope x, with a slope that is learned (He et al. 2015).
   *
   * @param slope one number, or one for each column of the last axis
   * @throws IllegalArgumentException as {@link #add}
   */
  default Tensor prelu(Tensor x, Tensor slope) {
    check("prelu", Operands.floating("x", "slope"), x, slope);
    Shape.broadcast(x.shape(), slope.shape());
    return add(relu(x), multiply(slope, unary(UnaryFunction.AT_MOST, 0, x)));
  }

  /**
   * The largest of several pieces (Goodfellow et al. 2013): the last axis of x is cut into {@code
   * pieces} parts of one size, and column c of the result is the largest of their columns c.
   *
   * @throws IllegalArgumentException where the last size is no multiple of {@code pieces}
   */
  default Tensor maxout(Tensor x, int pieces) {
    check("maxout", Operands.floating("x"), x);
    Shape shape = x.shape();
    if (shape.rank() == 0 || pieces < 1 || shape.size(-1) % pieces != 0) {
      throw new IllegalArgumentException(
          format("maxout of %d pieces does not divide the last axis of %s", pieces, shape));
    }
    long width = shape.size(-1) / pieces;
    Shape parted = Shape.of(shape.elements(0, shape.rank() - 1), pieces, width);
    Tensor largest = apply(new Reduction(ReductionFunction.MAX, 1), apply(new Reshape(parted), x));
    return cast(apply(new Reshape(shape.with(-1, width)), largest), x.dtype());
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
    return binary(new Binary(function), a, b);
  }

  /** Of more axes than its kernel has, both operands are stretched first. */
  private Tensor binary(Binary function, Tensor a, Tensor b) {
    if (a == null
        || b == null
        || Math.max(a.shape().rank(), b.shape().rank()) <= Binary.AXES
        || Binary.takes(a.shape(), b.shape())) {
      return apply(function, a, b);
    }
    check(function.name(), function.operands(), a, b);
    Shape shape = Shape.broadcast(a.shape(), b.shape());
    return apply(function, apply(new BroadcastTo(shape), a), apply(new BroadcastTo(shape), b));
  }

  private Tensor compare(BinaryFunction function, Tensor a, Tensor b) {
    Binary comparison = new Binary(function);
    check(comparison.name(), comparison.operands(), a, b);
    return withoutGradient(() -> binary(comparison, a, b));
  }
}
