// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;

import dev.weft.device.ReductionFunction;
import dev.weft.op.LayerNormOperation;
import dev.weft.op.Operands;
import dev.weft.op.Reduction;
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
}
