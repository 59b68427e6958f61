// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;

import dev.weft.device.ReductionFunction;
import dev.weft.device.UnaryFunction;
import dev.weft.op.BatchNormOperation;
import dev.weft.op.CumulativeSum;
import dev.weft.op.LayerNormOperation;
import dev.weft.op.Operands;
import dev.weft.op.Reduction;
import dev.weft.op.Softmax;
import dev.weft.op.TopHits;
import dev.weft.op.TopK;
import dev.weft.op.Unary;
import java.util.stream.IntStream;

/**
 * The operations that fold elements along axes, and those that normalise by what was folded. {@link
 * Operations} says what holds for all.
 */
public interface ReductionOperations extends ElementwiseOperations, ShapeOperations {

  /**
   * The sum over some axes, which go away, or of all elements where none is named, in the {@link
   * #wide} type; 0 of none.
   *
   * @param axes each at most once, negative counts from the end
   * @throws IllegalArgumentException where there is no such axis, or one is named twice
   */
  default Tensor sum(Tensor x, int... axes) {
    return reduce(ReductionFunction.SUM, x, axes);
  }

  /**
   * The mean over some axes, or of all elements where none is named, as {@link #sum}.
   *
   * @throws IllegalArgumentException as there, and where there are no elements
   */
  default Tensor mean(Tensor x, int... axes) {
    return reduce(ReductionFunction.MEAN, x, axes);
  }

  /**
   * The largest elements over some axes, or of all where none is named, as {@link #mean}; those
   * that are equal share the gradient.
   *
   * @throws IllegalArgumentException as there
   */
  default Tensor max(Tensor x, int... axes) {
    return reduce(ReductionFunction.MAX, x, axes);
  }

  /**
   * The smallest elements over some axes, or all where none is named; as {@link #max}.
   *
   * @throws IllegalArgumentException as there
   */
  default Tensor min(Tensor x, int... axes) {
    over(ReductionFunction.MAX, "reduce_min", x, axes);
    return negate(max(negate(x), axes));
  }

  /**
   * The mean of (x - mean)² over some axes, or all where none is named, in the {@link #wide} type:
   * the variance of what is all there is.
   *
   * @throws IllegalArgumentException as {@link #mean}
   */
  default Tensor variance(Tensor x, int... axes) {
    return mean(square(centred(x, axes)), axes);
  }

  /**
   * Σ (x - mean)² / (n - 1) over n elements of some axes, or all where none is named: the variance
   * that a sample of what there is lets expect, as PyTorch's {@code var}.
   *
   * @throws IllegalArgumentException as {@link #variance}, and where n is less than 2
   */
  default Tensor sampleVariance(Tensor x, int... axes) {
    long n = over(ReductionFunction.MEAN, "variance", x, axes).elements(x.shape());
    if (n < 2) {
      throw new IllegalArgumentException(
          format("a sample's variance needs 2 elements at least, not %d: x %s", n, x.shape()));
    }
    return scale(variance(x, axes), (double) n / (n - 1));
  }

  /**
   * √(Σ x_i²) over some axes, or all where none is named, in the {@link #wide} type; its gradient
   * at 0 is 0.
   *
   * @throws IllegalArgumentException as {@link #sum}
   */
  default Tensor norm(Tensor x, int... axes) {
    check("norm", Operands.floating("x"), x);
    return apply(new Unary(UnaryFunction.NORM_ROOT, 0), squaredNorm(x, axes));
  }

  /**
   * log Σ e^x_i over some axes, or all where none is named, in the {@link #wide} type; no e^x
   * overflows. Where all x_i are -infinity it is that too, and its gradient NaN, as PyTorch's.
   *
   * @throws IllegalArgumentException as {@link #mean}
   */
  default Tensor logSumExp(Tensor x, int... axes) {
    Shape kept = over(ReductionFunction.MAX, "log_sum_exp", x, axes).kept(x.shape());
    // finite, so that no infinity is subtracted from itself
    Tensor largest = withoutGradient(() -> clamp(max(x, axes), -Float.MAX_VALUE, Float.MAX_VALUE));
    Tensor below = subtract(wide(x), reshape(largest, kept.toArray()));
    return add(log(sum(exp(below), axes)), largest);
  }

  /**
   * The places of the largest values along one axis, which goes away: int32, the first of equal
   * ones, NaN taken for the largest. Without gradient.
   *
   * @param axis which axis, negative counts from the end
   * @throws IllegalArgumentException where there is no such axis, or it has size 0
   */
  default Tensor argmax(Tensor x, int axis) {
    Tensor first = topK(x, axis, 1);
    return reshape(first, first.shape().without(axis).toArray());
  }

  /**
   * The places of the k largest values along one axis, falling; see {@link TopK}. Without gradient;
   * {@link #gatherAlong} takes the values, with theirs.
   *
   * @param axis which axis, negative counts from the end; it has size k in the result, int32
   * @throws IllegalArgumentException where there is no such axis, or k is less than 1 or greater
   *     than its size
   */
  default Tensor topK(Tensor x, int axis, int k) {
    return apply(new TopK(axis, k), x);
  }

  /**
   * The sums of x up to and with each entry of one axis, in the type of x.
   *
   * @param axis which axis, negative counts from the end
   * @throws IllegalArgumentException where there is no such axis
   */
  default Tensor cumulativeSum(Tensor x, int axis) {
    return apply(new CumulativeSum(axis), x);
  }

  /**
   * Σ x_i² over some axes, or of all elements where none is named, as {@link #sum}.
   *
   * @throws IllegalArgumentException as there
   */
  default Tensor squaredNorm(Tensor x, int... axes) {
    return reduce(ReductionFunction.SUM_OF_SQUARES, x, axes);
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
   * scale (x - mean) / √(variance + epsilon) + shift, with mean and variance of each column of x
   * (..., width) over all its rows, at least 2; scale and shift (width). {@link BatchNormOperation}
   * also knows running values.
   *
   * @param epsilon positive and finite; 1e-5 is usual
   * @throws IllegalArgumentException with all shapes, where they do not fit, or there is one row,
   *     or where {@code epsilon} is outside its range
   */
  default Tensor batchNorm(Tensor x, Tensor scale, Tensor shift, double epsilon) {
    return apply(new BatchNormOperation(epsilon, 0), x, scale, shift);
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
   * e^x_k / Σ_j e^x_j along the last axis; NaN along it where one entry is NaN or +infinity, or all
   * are -infinity; see {@link Softmax}.
   *
   * @throws IllegalArgumentException where x is a scalar
   */
  default Tensor softmax(Tensor x) {
    return softmax(x, -1);
  }

  /**
   * e^x_k / Σ_j e^x_j along one axis; NaN as in {@link #softmax(Tensor)}.
   *
   * @param axis which axis, negative counts from the end
   * @throws IllegalArgumentException where there is no such axis
   */
  default Tensor softmax(Tensor x, int axis) {
    return apply(new Softmax(axis, Softmax.Result.SHARES), x);
  }

  /**
   * x_k - log Σ_j e^x_j along the last axis; NaN as in {@link #softmax(Tensor)}.
   *
   * @throws IllegalArgumentException where x is a scalar
   */
  default Tensor logSoftmax(Tensor x) {
    return logSoftmax(x, -1);
  }

  /**
   * x_k - log Σ_j e^x_j along one axis; NaN as in {@link #softmax(Tensor)}.
   *
   * @param axis which axis, negative counts from the end
   * @throws IllegalArgumentException where there is no such axis
   */
  default Tensor logSoftmax(Tensor x, int axis) {
    return apply(new Softmax(axis, Softmax.Result.LOGARITHMS), x);
  }

  private Tensor centred(Tensor x, int... axes) {
    Shape kept = over(ReductionFunction.MEAN, "variance", x, axes).kept(x.shape());
    return subtract(wide(x), reshape(mean(x, axes), kept.toArray()));
  }

  /**
   * Neighbouring axes are one operation. Others are one after another, the last first; the largest
   * element is looked for at once in a copy that has them together, so that equal ones share its
   * gradient equally.
   */
  private Tensor reduce(ReductionFunction function, Tensor x, int... axes) {
    if (axes.length < 2) {
      return apply(
          axes.length == 0 ? new Reduction(function) : new Reduction(function, axes[0]), x);
    }
    Axes over = over(function, "reduce_" + function.token(), x, axes);
    Shape shape = x.shape();
    if (function == ReductionFunction.MAX && over.runs().size() > 1) {
      int[] last = IntStream.range(shape.rank() - over.count(), shape.rank()).toArray();
      return reduce(function, permute(x, over.last(shape)), last);
    }
    Tensor y = x;
    for (Axes run : over.runs().reversed()) {
      Shape from = y.shape();
      int end = run.first() + run.count();
      Tensor parted =
          reshape(
              y,
              from.elements(0, run.first()),
              from.elements(run.first(), end),
              from.elements(end, from.rank()));
      boolean again = y != x && function == ReductionFunction.SUM_OF_SQUARES;
      Tensor folded = apply(new Reduction(again ? ReductionFunction.SUM : function, 1), parted);
      y = reshape(folded, run.without(from).toArray());
    }
    return y;
  }

  /** Checks before anything is computed. */
  private Axes over(ReductionFunction function, String name, Tensor x, int... axes) {
    check(name, Operands.floating("x"), x);
    Axes over = Axes.of(x.shape(), axes);
    boolean needsSome = function == ReductionFunction.MAX || function == ReductionFunction.MEAN;
    if (needsSome && over.elements(x.shape()) == 0) {
      throw new IllegalArgumentException(
          format("%s over no elements: x has shape %s", name, x.shape()));
    }
    return over;
  }
}
