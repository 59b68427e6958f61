// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import dev.weft.device.ReductionFunction;
import dev.weft.op.BatchNormOperation;
import dev.weft.op.LayerNormOperation;
import dev.weft.op.Reduction;
import dev.weft.op.Softmax;
import dev.weft.op.TopHits;

/**
 * The operations that fold elements along axes, and those that normalise by what was folded. {@link
 * Operations} says what holds for all.
 */
public interface ReductionOperations extends ElementwiseOperations, ShapeOperations {

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
   * The same along one axis.
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
   * The same along one axis.
   *
   * @param axis which axis, negative counts from the end
   * @throws IllegalArgumentException where there is no such axis
   */
  default Tensor logSoftmax(Tensor x, int axis) {
    return apply(new Softmax(axis, Softmax.Result.LOGARITHMS), x);
  }
}
