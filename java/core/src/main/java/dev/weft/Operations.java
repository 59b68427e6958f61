// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;

import dev.weft.device.BagFunction;
import dev.weft.device.BinaryFunction;
import dev.weft.device.Nonlinearity;
import dev.weft.device.ReductionFunction;
import dev.weft.device.UnaryFunction;
import dev.weft.op.BiasActivation;
import dev.weft.op.Binary;
import dev.weft.op.Cast;
import dev.weft.op.ConcatOperation;
import dev.weft.op.DropoutOperation;
import dev.weft.op.EmbeddingBagOperation;
import dev.weft.op.GatherRows;
import dev.weft.op.LayerNormOperation;
import dev.weft.op.MatMul;
import dev.weft.op.NegativeSamples;
import dev.weft.op.Operands;
import dev.weft.op.Operation;
import dev.weft.op.PathLossOperation;
import dev.weft.op.Reduction;
import dev.weft.op.Reshape;
import dev.weft.op.Slice;
import dev.weft.op.SoftmaxCrossEntropyOperation;
import dev.weft.op.TopHits;
import dev.weft.op.Transpose;
import dev.weft.op.Unary;
import java.util.function.Supplier;

/**
 * The differentiable operations, a method for each: what layers, losses and functions under check
 * are made of. {@link Tape} is what runs them and takes their gradients.
 *
 * {@snippet file="Examples.java" region="operations"}
 *
 * <p>Each method computes its result at once. Floating-point inputs of one operation are of one
 * type. All methods throw {@link IllegalArgumentException} where inputs are of types that do not
 * fit or on another device, and {@link IllegalStateException} where one is closed.
 *
 * <p>This interface is long because it has a method for every operation.
 */
public interface Operations {

  /** The device that computes. */
  Device device();

  /**
   * Applies an operation, one of {@code dev.weft.op} or of the user's own.
   *
   * @throws IllegalArgumentException where inputs do not fit, lie on different devices, are of
   *     other types than {@link Operation#operands} says, or were computed on another tape
   * @throws IllegalStateException where the tape or an input is closed
   */
  Tensor apply(Operation operation, Tensor... inputs);

  /**
   * Returns if something can be applied to such inputs, here and now: what a function made of
   * several operations asks first, so that a refusal names the function.
   *
   * @param name what is applied, as its messages begin
   * @throws IllegalArgumentException as {@link #apply}
   * @throws IllegalStateException as {@link #apply}
   */
  void check(String name, Operands operands, Tensor... inputs);

  /** Whether the pass is for training: dropout, and what keeps statistics, act there alone. */
  boolean isTraining();

  /**
   * Sets a buffer to a value of its shape, without gradient, where the pass is for training; else
   * it leaves it. A layer with running statistics calls this in its forward pass.
   *
   * @throws IllegalArgumentException where the shapes differ, or the buffer has a gradient
   */
  void assign(Tensor buffer, Tensor value);

  /** Runs {@code body} so that nothing in it gets a gradient. */
  <R> R withoutGradient(Supplier<R> body);

  /**
   * Says how precise the products of float32 matrices are from now on: {@link MathMode#STRICT}
   * until something else was said. Returns this.
   */
  Operations math(MathMode math);

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
   * The matrix product of a (m, k) and b (k, n).
   *
   * @throws IllegalArgumentException with both shapes, where the inner sizes differ or one is no
   *     matrix
   */
  default Tensor matmul(Tensor a, Tensor b) {
    return apply(new MatMul(), a, b);
  }

  /** The sum of all elements, a scalar of the {@link #wide} type; 0 of none. */
  default Tensor sum(Tensor x) {
    return apply(new Reduction(ReductionFunction.SUM), x);
  }

  /**
   * Sums over one axis, which goes away, in the {@link #wide} type.
   *
   * @param axis which axis, negative counts from the end
   * @throws IllegalArgumentException where there is no such axis
   */
  default Tensor sum(Tensor x, int axis) {
    return apply(new Reduction(ReductionFunction.SUM, axis), x);
  }

  /**
   * The mean of all elements, a scalar of the {@link #wide} type.
   *
   * @throws IllegalArgumentException where there are none
   */
  default Tensor mean(Tensor x) {
    return apply(new Reduction(ReductionFunction.MEAN), x);
  }

  /**
   * Means over one axis, which goes away, in the {@link #wide} type.
   *
   * @param axis which axis, negative counts from the end
   * @throws IllegalArgumentException where there is no such axis, or it has size 0
   */
  default Tensor mean(Tensor x, int axis) {
    return apply(new Reduction(ReductionFunction.MEAN, axis), x);
  }

  /**
   * The largest element, a scalar of the {@link #wide} type.
   *
   * @throws IllegalArgumentException where there are none
   */
  default Tensor max(Tensor x) {
    return apply(new Reduction(ReductionFunction.MAX), x);
  }

  /**
   * The largest elements along one axis, which goes away, in the {@link #wide} type.
   *
   * @param axis which axis, negative counts from the end
   * @throws IllegalArgumentException where there is no such axis, or it has size 0
   */
  default Tensor max(Tensor x, int axis) {
    return apply(new Reduction(ReductionFunction.MAX, axis), x);
  }

  /** Σ x_i², a scalar of the {@link #wide} type; 0 of no elements. */
  default Tensor squaredNorm(Tensor x) {
    return apply(new Reduction(ReductionFunction.SUM_OF_SQUARES), x);
  }

  /**
   * The same elements under another shape; nothing is copied.
   *
   * @throws IllegalArgumentException where that has another number of elements
   */
  default Tensor reshape(Tensor x, long... sizes) {
    return apply(new Reshape(Shape.of(sizes)), x);
  }

  /**
   * A matrix with rows and columns exchanged.
   *
   * @throws IllegalArgumentException where x is no matrix
   */
  default Tensor transpose(Tensor x) {
    return apply(new Transpose(), x);
  }

  /**
   * The entries {@code from} up to, not including, {@code to} along one axis.
   *
   * @param axis which axis, negative counts from the end
   * @throws IllegalArgumentException where there is no such axis, or the range leaves it
   */
  default Tensor slice(Tensor x, int axis, long from, long to) {
    return apply(new Slice(axis, from, to), x);
  }

  /**
   * Tensors one after another along one axis.
   *
   * @param axis which axis, negative counts from the end
   * @throws IllegalArgumentException where there are no tensors, or their other sizes differ
   */
  default Tensor concat(int axis, Tensor... parts) {
    if (parts.length == 0) {
      throw new IllegalArgumentException("concat needs at least one tensor");
    }
    return apply(new ConcatOperation(axis), parts);
  }

  /**
   * The rows of {@code source} (n, cols) numbered by {@code index}, int32 of any shape, which the
   * result has with the columns as one more axis; NaN where a number is outside 0..n-1.
   *
   * @throws IllegalArgumentException with both shapes, where {@code source} is no matrix
   */
  default Tensor gather(Tensor source, Tensor index) {
    return apply(new GatherRows(), source, index);
  }

  /**
   * The sum, along the last axis of {@code ids}, of the rows of {@code table} (n, cols) that they
   * number; 0 of none. An id of -1 is padding, no row; NaN where another one is outside 0..n-1; see
   * {@link EmbeddingBagOperation}.
   *
   * @param ids int32 (..., length)
   * @return (..., cols)
   * @throws IllegalArgumentException with both shapes, where the table is no matrix or the ids are
   *     one number
   */
  default Tensor embeddingBagSum(Tensor table, Tensor ids) {
    return apply(new EmbeddingBagOperation(BagFunction.SUM), table, ids);
  }

  /** The mean of the rows that {@link #embeddingBagSum(Tensor, Tensor)} adds up, and as there. */
  default Tensor embeddingBagMean(Tensor table, Tensor ids) {
    return apply(new EmbeddingBagOperation(BagFunction.MEAN), table, ids);
  }

  /**
   * The sum of each bag of rows of {@code table} (n, cols), 0 of none: bag b is the rows numbered
   * by the int32 vector {@code ids} from {@code offsets}[b] on, up to where the next one begins. An
   * id of -1 is padding, no row; NaN where another one is outside 0..n-1, or a bag's range outside
   * {@code ids}; see {@link EmbeddingBagOperation}.
   *
   * @param offsets int32 (bags), ascending
   * @return (bags, cols)
   * @throws IllegalArgumentException with all shapes, where they are not a matrix and two vectors
   */
  default Tensor embeddingBagSum(Tensor table, Tensor ids, Tensor offsets) {
    return apply(new EmbeddingBagOperation(BagFunction.SUM), table, ids, offsets);
  }

  /** The mean of each bag of {@link #embeddingBagSum(Tensor, Tensor, Tensor)}, and as there. */
  default Tensor embeddingBagMean(Tensor table, Tensor ids, Tensor offsets) {
    return apply(new EmbeddingBagOperation(BagFunction.MEAN), table, ids, offsets);
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

  /**
   * scale (x - mean) / √(variance + epsilon) + shift, with mean and variance along the last axis of
   * x (..., width); scale and shift (width); see {@link LayerNormOperation}.
   *
   * @param epsilon positive and finite; 1e-5 is usual
   * @throws IllegalArgumentException with all shapes, where they do not fit, or where {@code
   *     epsilon} is outside its range
   */
  default Tensor layerNorm(Tensor x, Tensor scale, Tensor shift, double epsilon) {
    return apply(new LayerNormOperation(epsilon), x, scale, shift);
  }

  /**
   * The mean cross-entropy of softmax(logits) (rows, classes) against class labels (rows), int32;
   * NaN where a label is outside 0..classes-1.
   *
   * @throws IllegalArgumentException with both shapes, where they do not fit
   */
  default Tensor softmaxCrossEntropy(Tensor logits, Tensor labels) {
    return apply(new SoftmaxCrossEntropyOperation(0), logits, labels);
  }

  /**
   * The mean cross-entropy of softmax(logits) (rows, classes) against class labels (rows), int32,
   * smoothed; see {@link SoftmaxCrossEntropyOperation}.
   *
   * @param smoothing the share of probability that is spread over all classes, in [0, 1)
   * @throws IllegalArgumentException with both shapes, where they do not fit, or where {@code
   *     smoothing} is outside its range
   */
  default Tensor softmaxCrossEntropy(Tensor logits, Tensor labels, double smoothing) {
    return apply(new SoftmaxCrossEntropyOperation(smoothing), logits, labels);
  }

  /**
   * The logistic loss of each row of x (n, cols) along a path of its own through rows of {@code
   * table} (rows, cols): steps are 2 row + branch, int32 (n, length), -1 where there is none, and
   * branch 0 is right where the product with the row is large. See {@link PathLossOperation}.
   *
   * <p>With {@link #negativeSamples} this is negative sampling.
   *
   * @return (n), NaN where a step is to no row of the table
   * @throws IllegalArgumentException with the shapes, where they do not fit
   */
  default Tensor pathLosses(Tensor x, Tensor table, Tensor steps) {
    return apply(new PathLossOperation(0), x, table, steps);
  }

  /**
   * The same along paths that rows share: path p has the steps from {@code offsets}[p] up to where
   * the next one begins, and row i takes the one of {@code numbers}[i]. With the paths of a tree
   * this is hierarchical softmax: the negative log-probability of each row's class.
   *
   * @param steps int32 (count)
   * @param offsets int32 (paths), ascending
   * @param numbers int32 (n)
   * @param longest the most steps that a path has
   * @return (n), NaN also where a number is no path's, or its path is longer
   * @throws IllegalArgumentException with the shapes, where they do not fit
   */
  default Tensor pathLosses(
      Tensor x, Tensor table, Tensor steps, Tensor offsets, Tensor numbers, int longest) {
    return apply(new PathLossOperation(longest), x, table, steps, offsets, numbers);
  }

  /**
   * The logarithm of the probability of every path for each row of x: what {@link #pathLosses} is
   * the negative of, for all paths and not for one; over the paths of a tree e^y adds up to 1. It
   * takes all rows of the table, so that its gradient is dense.
   *
   * @param steps int32 (count), as {@code offsets} (paths) in {@link #pathLosses}
   * @return (n, paths) of the {@link #wide} type
   * @throws IllegalArgumentException with the shapes, where they do not fit
   */
  default Tensor pathLogProbabilities(Tensor x, Tensor table, Tensor steps, Tensor offsets) {
    check(
        "path_log_probabilities",
        Operands.floating("x", "table").andInt32("steps", "offsets"),
        x,
        table,
        steps,
        offsets);
    if (x.shape().rank() != 2
        || table.shape().rank() != 2
        || x.shape().size(1) != table.shape().size(1)
        || steps.shape().rank() != 1
        || offsets.shape().rank() != 1) {
      throw new IllegalArgumentException(
          format(
              "path_log_probabilities needs x [n, cols], a table [rows, cols], steps [count] and"
                  + " offsets [paths], not %s, %s, %s and %s",
              x.shape(), table.shape(), steps.shape(), offsets.shape()));
    }
    Tensor scores = wide(apply(new MatMul(MatMul.Form.PLAIN, MatMul.Form.TRANSPOSED), table, x));
    Tensor branches = concat(1, softplus(negate(scores)), softplus(scores)); // row 2 row + branch
    long rows = x.shape().size(0);
    Tensor sums =
        embeddingBagSum(reshape(branches, 2 * table.shape().size(0), rows), steps, offsets);
    return negate(transpose(sums));
  }

  /**
   * The paths of negative sampling for {@link #pathLosses(Tensor, Tensor, Tensor)}: the row of each
   * label, and as many rows as {@code negatives} says that are drawn as noise, of which one that is
   * the label is left out; see {@link NegativeSamples}.
   *
   * @param labels int32 (n)
   * @param thresholds int32 (words), those of a {@code dev.weft.text.AliasTable}
   * @param aliases int32 (words), likewise
   * @return int32 (n, 1 + negatives)
   * @throws IllegalArgumentException with the shapes, where they do not fit, or where {@code
   *     negatives} is less than 1
   */
  default Tensor negativeSamples(Tensor labels, Tensor thresholds, Tensor aliases, int negatives) {
    return apply(new NegativeSamples(negatives), labels, thresholds, aliases);
  }

  /**
   * 1 for each row of {@code x} (rows, classes) whose label, int32, is among its k largest values,
   * else 0; without gradient; see {@link TopHits}.
   *
   * @throws IllegalArgumentException with both shapes, where they do not fit, or k is less than 1
   */
  default Tensor topHits(Tensor x, Tensor labels, int k) {
    return apply(new TopHits(k), x, labels);
  }

  /**
   * e^x_c / Σ_j e^x_j along the last axis of a matrix; of BF16 computed in F32, then rounded.
   *
   * @throws IllegalArgumentException where x is no matrix
   */
  default Tensor softmax(Tensor x) {
    Tensor powers = exp(shifted("softmax", x));
    Tensor y = divide(powers, reshape(sum(powers, 1), x.shape().size(0), 1));
    return cast(y, x.dtype());
  }

  /**
   * x_c - log Σ_j e^x_j along the last axis of a matrix; BF16 as in {@link #softmax}.
   *
   * @throws IllegalArgumentException where x is no matrix
   */
  default Tensor logSoftmax(Tensor x) {
    Tensor below = shifted("log_softmax", x);
    Tensor y = subtract(below, reshape(log(sum(exp(below), 1)), x.shape().size(0), 1));
    return cast(y, x.dtype());
  }

  /** x, in its wide type, less each row's largest: softmax is the same, e^x cannot overflow. */
  private Tensor shifted(String what, Tensor x) {
    check(what, Operands.floating("x"), x);
    if (x.shape().rank() != 2) {
      throw new IllegalArgumentException(format("%s needs a matrix, not %s", what, x.shape()));
    }
    Tensor largest = withoutGradient(() -> reshape(max(x, 1), x.shape().size(0), 1));
    return subtract(wide(x), largest);
  }

  /**
   * 1/n Σ (a_i - b_i)², n the number of elements; a and b of one shape.
   *
   * @throws IllegalArgumentException with both shapes, where they differ
   */
  default Tensor meanSquaredError(Tensor a, Tensor b) {
    checkAlike("mean_squared_error", a, b);
    return scale(sumOfSquares(a, b), 1.0 / Math.max(1, a.elements()));
  }

  /**
   * Σ (a_i - b_i)²; a and b of one shape.
   *
   * @throws IllegalArgumentException with both shapes, where they differ
   */
  default Tensor sumOfSquares(Tensor a, Tensor b) {
    checkAlike("sum_of_squares", a, b);
    return squaredNorm(subtract(a, b));
  }

  private void checkAlike(String what, Tensor a, Tensor b) {
    check(what, Operands.floating("a", "b"), a, b);
    if (!a.shape().equals(b.shape())) {
      throw new IllegalArgumentException(
          format("%s of shapes %s and %s", what, a.shape(), b.shape()));
    }
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
