// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;

import dev.weft.device.ValueLossFunction;
import dev.weft.op.LossReduction;
import dev.weft.op.Operands;
import dev.weft.op.RowWeights;
import dev.weft.op.ValueLossOperation;
import java.util.List;

/**
 * The losses of each value against a target of its own. {@link Operations} says what holds for all.
 */
public interface ValueLossOperations extends ReductionOperations {

  /**
   * 1/n Σ (a_i - b_i)², n the number of elements; a and b of one shape.
   *
   * @throws IllegalArgumentException with both shapes, where they differ
   */
  default Tensor meanSquaredError(Tensor a, Tensor b) {
    return valueLoss(
        ValueLossFunction.SQUARED, ValueLossFunction.SQUARED.defaultAlpha(), "a", "b", a, b);
  }

  /**
   * The mean by weights of rows of {@link #meanSquaredError(Tensor, Tensor)}, Σ_r w_r Σ_i l_ri /
   * (features Σ_r w_r); 0 where all weights are 0.
   *
   * @param weights (rows), without gradient
   * @throws IllegalArgumentException with the shapes, where they do not fit
   */
  default Tensor meanSquaredError(Tensor a, Tensor b, Tensor weights) {
    return valueLoss(
        ValueLossFunction.SQUARED,
        ValueLossFunction.SQUARED.defaultAlpha(),
        "a",
        "b",
        a,
        b,
        weights);
  }

  /**
   * Σ (a_i - b_i)²; a and b of one shape.
   *
   * @throws IllegalArgumentException with both shapes, where they differ
   */
  default Tensor sumOfSquares(Tensor a, Tensor b) {
    return valueLoss(
        new ValueLossOperation(ValueLossFunction.SQUARED, LossReduction.SUM), "a", "b", a, b);
  }

  /**
   * 1/n Σ |a_i - b_i|, n the number of elements, with derivative 0 where they are equal; a and b of
   * one shape.
   *
   * @throws IllegalArgumentException with both shapes, where they differ
   */
  default Tensor meanAbsoluteError(Tensor a, Tensor b) {
    return valueLoss(
        ValueLossFunction.ABSOLUTE, ValueLossFunction.ABSOLUTE.defaultAlpha(), "a", "b", a, b);
  }

  /**
   * The mean by weights of rows of {@link #meanAbsoluteError(Tensor, Tensor)}, Σ_r w_r Σ_i l_ri /
   * (features Σ_r w_r); 0 where all weights are 0.
   *
   * @param weights (rows), without gradient
   * @throws IllegalArgumentException with the shapes, where they do not fit
   */
  default Tensor meanAbsoluteError(Tensor a, Tensor b, Tensor weights) {
    return valueLoss(
        ValueLossFunction.ABSOLUTE,
        ValueLossFunction.ABSOLUTE.defaultAlpha(),
        "a",
        "b",
        a,
        b,
        weights);
  }

  /**
   * The mean of half the squared distance of a and b where that is at most delta, else delta times
   * the distance less delta / 2 (Huber 1964); a and b of one shape.
   *
   * @param delta positive and finite; 1 is usual
   * @throws IllegalArgumentException with both shapes, where they differ, or where {@code delta} is
   *     outside its range
   */
  default Tensor huber(Tensor a, Tensor b, double delta) {
    return valueLoss(ValueLossFunction.HUBER, delta, "a", "b", a, b);
  }

  /**
   * The mean by weights of rows of {@link #huber(Tensor, Tensor, double)}, Σ_r w_r Σ_i l_ri /
   * (features Σ_r w_r); 0 where all weights are 0.
   *
   * @param weights (rows), without gradient
   * @param delta positive and finite; 1 is usual
   * @throws IllegalArgumentException with the shapes, where they do not fit, or where {@code delta}
   *     is outside its range
   */
  default Tensor huber(Tensor a, Tensor b, Tensor weights, double delta) {
    return valueLoss(ValueLossFunction.HUBER, delta, "a", "b", a, b, weights);
  }

  /**
   * The mean of how much more than epsilon a and b differ, 0 where they do not, the loss of support
   * vector regression (Vapnik 1995); a and b of one shape.
   *
   * @param epsilon finite, and at least 0
   * @throws IllegalArgumentException with both shapes, where they differ, or where {@code epsilon}
   *     is outside its range
   */
  default Tensor epsilonInsensitive(Tensor a, Tensor b, double epsilon) {
    return valueLoss(ValueLossFunction.EPSILON_INSENSITIVE, epsilon, "a", "b", a, b);
  }

  /**
   * The mean by weights of rows of {@link #epsilonInsensitive(Tensor, Tensor, double)}, Σ_r w_r Σ_i
   * l_ri / (features Σ_r w_r); 0 where all weights are 0.
   *
   * @param weights (rows), without gradient
   * @param epsilon finite, and at least 0
   * @throws IllegalArgumentException with the shapes, where they do not fit, or where {@code
   *     epsilon} is outside its range
   */
  default Tensor epsilonInsensitive(Tensor a, Tensor b, Tensor weights, double epsilon) {
    return valueLoss(ValueLossFunction.EPSILON_INSENSITIVE, epsilon, "a", "b", a, b, weights);
  }

  /**
   * The mean cross-entropy of the probabilities sigmoid(logits) against t: -(t log s + (1 - t)
   * log(1 - s)); logits and t of one shape.
   *
   * @param t in 0..1, else the loss is NaN; without gradient
   * @throws IllegalArgumentException with both shapes, where they differ
   */
  default Tensor binaryCrossEntropy(Tensor logits, Tensor t) {
    return valueLoss(
        ValueLossFunction.LOGISTIC,
        ValueLossFunction.LOGISTIC.defaultAlpha(),
        "logits",
        "t",
        logits,
        t);
  }

  /**
   * The mean by weights of rows of {@link #binaryCrossEntropy(Tensor, Tensor)}, Σ_r w_r Σ_i l_ri /
   * (features Σ_r w_r); 0 where all weights are 0.
   *
   * @param t in 0..1, else the loss is NaN; without gradient
   * @param weights (rows), without gradient
   * @throws IllegalArgumentException with the shapes, where they do not fit
   */
  default Tensor binaryCrossEntropy(Tensor logits, Tensor t, Tensor weights) {
    return valueLoss(
        ValueLossFunction.LOGISTIC,
        ValueLossFunction.LOGISTIC.defaultAlpha(),
        "logits",
        "t",
        logits,
        t,
        weights);
  }

  /**
   * The mean of max(0, 1 - t x), the loss of support vector machines; x and t of one shape.
   *
   * @param t -1 or 1, else the loss is NaN; without gradient
   * @throws IllegalArgumentException with both shapes, where they differ
   */
  default Tensor hinge(Tensor x, Tensor t) {
    return valueLoss(
        ValueLossFunction.HINGE, ValueLossFunction.HINGE.defaultAlpha(), "x", "t", x, t);
  }

  /**
   * The mean by weights of rows of {@link #hinge(Tensor, Tensor)}, Σ_r w_r Σ_i l_ri / (features Σ_r
   * w_r); 0 where all weights are 0.
   *
   * @param t -1 or 1, else the loss is NaN; without gradient
   * @param weights (rows), without gradient
   * @throws IllegalArgumentException with the shapes, where they do not fit
   */
  default Tensor hinge(Tensor x, Tensor t, Tensor weights) {
    return valueLoss(
        ValueLossFunction.HINGE, ValueLossFunction.HINGE.defaultAlpha(), "x", "t", x, t, weights);
  }

  /**
   * The mean of max(0, 1 - t x)²; x and t of one shape.
   *
   * @param t -1 or 1, else the loss is NaN; without gradient
   * @throws IllegalArgumentException with both shapes, where they differ
   */
  default Tensor squaredHinge(Tensor x, Tensor t) {
    return valueLoss(
        ValueLossFunction.SQUARED_HINGE,
        ValueLossFunction.SQUARED_HINGE.defaultAlpha(),
        "x",
        "t",
        x,
        t);
  }

  /**
   * The mean by weights of rows of {@link #squaredHinge(Tensor, Tensor)}, Σ_r w_r Σ_i l_ri /
   * (features Σ_r w_r); 0 where all weights are 0.
   *
   * @param t -1 or 1, else the loss is NaN; without gradient
   * @param weights (rows), without gradient
   * @throws IllegalArgumentException with the shapes, where they do not fit
   */
  default Tensor squaredHinge(Tensor x, Tensor t, Tensor weights) {
    return valueLoss(
        ValueLossFunction.SQUARED_HINGE,
        ValueLossFunction.SQUARED_HINGE.defaultAlpha(),
        "x",
        "t",
        x,
        t,
        weights);
  }

  private Tensor valueLoss(
      ValueLossFunction function, double alpha, String first, String second, Tensor x, Tensor t) {
    return valueLoss(
        new ValueLossOperation(function, alpha, LossReduction.MEAN, RowWeights.EQUAL),
        first,
        second,
        x,
        t);
  }

  private Tensor valueLoss(
      ValueLossOperation loss, String first, String second, Tensor x, Tensor t) {
    check(loss.name(), Operands.floating(first, second), x, t);
    checkAlike(loss.name(), first, second, x, t);
    return apply(loss, x, wide(t));
  }

  private Tensor valueLoss(
      ValueLossFunction function,
      double alpha,
      String first,
      String second,
      Tensor x,
      Tensor t,
      Tensor weights) {
    String name = ValueLossOperation.name(function, LossReduction.MEAN);
    var loss = new ValueLossOperation(function, alpha, LossReduction.SUM, RowWeights.GIVEN);
    check(name, Operands.floating(first, second).andFloating("weights"), x, t, weights);
    checkAlike(name, first, second, x, t);
    RowWeights.check(name, List.of(first, second, "weights"), x, t, weights);
    double share = (double) weights.elements() / x.elements();
    Tensor shares = RowWeights.shares(this, weights, weights);
    return apply(loss, x, wide(t), withoutGradient(() -> scale(shares, share)));
  }

  private static void checkAlike(String loss, String first, String second, Tensor x, Tensor t) {
    if (!x.shape().equals(t.shape())) {
      throw new IllegalArgumentException(
          format(
              "%s needs %s and %s of one shape, not %s and %s",
              loss, first, second, x.shape(), t.shape()));
    }
  }
}
