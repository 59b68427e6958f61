// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;
import dev.weft.data.Column;
import dev.weft.device.ValueLossFunction;
import dev.weft.op.LossReduction;
import dev.weft.op.RowWeights;
import dev.weft.op.ValueLossOperation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * A loss of each output against a target of its own, over all n = rows · features elements; see
 * {@link ValueLossOperation}. {@link MeanSquaredError} and {@link SumOfSquares} are two of them.
 *
 * <p>With weights w of rows it is Σ_r w_r Σ_i l_ri / (features Σ_r w_r), and 0 of a batch where no
 * row counts.
 *
 * @param function the loss of an output and its target
 * @param alpha its parameter, where it takes one
 * @param target the column of targets, rows like the outputs
 * @param weights how much rows count, by a column of weights alone
 * @param positive for {@code LOGISTIC}, by how much more an answer of yes counts, for each output;
 *     empty where both count alike
 * @param reduction {@code MEAN} or {@code SUM}
 */
public record ValueLoss(
    ValueLossFunction function,
    double alpha,
    String target,
    LossWeights weights,
    List<Double> positive,
    LossReduction reduction)
    implements WeightedLoss {

  /** Checks the settings. */
  public ValueLoss {
    new ValueLossOperation(function, alpha, reduction, RowWeights.EQUAL);
    Reductions.check(reduction);
    positive = List.copyOf(positive);
    if (!positive.isEmpty() && function != ValueLossFunction.LOGISTIC) {
      throw new IllegalArgumentException(
          format("%s has no answers of yes and no, whose weights could differ", function.token()));
    }
    for (double weight : positive) {
      if (!(weight > 0 && weight < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            "a weight of positive answers must be positive and finite, not " + weight);
      }
    }
    if (!weights.equals(LossWeights.EQUAL.column(weights.column()))) {
      throw new IllegalArgumentException(
          function.token() + " has no classes, whose weights could differ");
    }
  }

  private static ValueLoss of(ValueLossFunction function, double alpha) {
    return new ValueLoss(
        function, alpha, Inputs.TARGETS, LossWeights.EQUAL, List.of(), LossReduction.MEAN);
  }

  private static ValueLoss of(ValueLossFunction function) {
    return of(function, function.defaultAlpha());
  }

  /** (x - t)²: {@link MeanSquaredError}, whose rows may be weighted. */
  public static ValueLoss squared() {
    return of(ValueLossFunction.SQUARED);
  }

  /** |x - t|. */
  public static ValueLoss absolute() {
    return of(ValueLossFunction.ABSOLUTE);
  }

  /**
   * Half of (x - t)² up to a distance of delta, and from there on a straight line (Huber 1964).
   *
   * @param delta positive and finite; 1 is usual
   */
  public static ValueLoss huber(double delta) {
    return of(ValueLossFunction.HUBER, delta);
  }

  /**
   * By how much |x - t| is above epsilon: the loss of support vector regression.
   *
   * @param epsilon finite, and at least 0
   */
  public static ValueLoss epsilonInsensitive(double epsilon) {
    return of(ValueLossFunction.EPSILON_INSENSITIVE, epsilon);
  }

  /** The cross-entropy of the probability sigmoid(x) and a target from 0 to 1. */
  public static ValueLoss binaryCrossEntropy() {
    return of(ValueLossFunction.LOGISTIC);
  }

  /** max(0, 1 - t x) for targets -1 and 1: the loss of support vector machines. */
  public static ValueLoss hinge() {
    return of(ValueLossFunction.HINGE);
  }

  /** max(0, 1 - t x)² for targets -1 and 1. */
  public static ValueLoss squaredHinge() {
    return of(ValueLossFunction.SQUARED_HINGE);
  }

  /** Against another column. */
  public ValueLoss against(String column) {
    return new ValueLoss(function, alpha, column, weights, positive, reduction);
  }

  /** With rows weighted by the numbers of a column. */
  public ValueLoss sampleWeights(String column) {
    return new ValueLoss(function, alpha, target, weights.column(column), positive, reduction);
  }

  /**
   * With a weight for the positive answers of each output, or one for all: that of the negative
   * ones over that of the positive ones balances them.
   */
  public ValueLoss positiveWeight(double... ofOutputs) {
    List<Double> list = Arrays.stream(ofOutputs).boxed().toList();
    return new ValueLoss(function, alpha, target, weights, list, reduction);
  }

  /** The sum over elements, not the mean. */
  public ValueLoss sum() {
    return new ValueLoss(function, alpha, target, weights, positive, LossReduction.SUM);
  }

  @Override
  public void check(RowType output, Inputs<RowType> data) {
    ValueTargets.check(this, output, target, data.get(target));
    long outputs = output.shape().elements();
    if (positive.size() > 1 && positive.size() != outputs) {
      throw new IllegalArgumentException(
          format(
              "%s has weights of %d positive answers, and the network gives %d",
              spec(), positive.size(), outputs));
    }
    weights.check(spec(), 0, data);
  }

  @Override
  public void checkValues(RowType output, Function<String, Column> columns) {
    weights.checkValues(spec(), columns, target);
    switch (function) {
      case LOGISTIC -> ValueTargets.checkShares(spec(), target, columns.apply(target));
      case HINGE, SQUARED_HINGE -> ValueTargets.checkSides(spec(), target, columns.apply(target));
      case SQUARED, ABSOLUTE, HUBER, EPSILON_INSENSITIVE -> {}
    }
  }

  private String positiveName() {
    return format("positive weights %s", positive);
  }

  @Override
  public Map<String, double[]> constants(RowType output) {
    if (positive.isEmpty()) {
      return Map.of();
    }
    double[] ofOutputs = new double[(int) output.shape().elements()];
    Arrays.setAll(ofOutputs, i -> positive.get(Math.min(i, positive.size() - 1)));
    return Map.of(positiveName(), ofOutputs);
  }

  @Override
  public Tensor apply(Operations operations, Tensor output, Inputs<Tensor> data) {
    Tensor t = operations.wide(data.get(target));
    RowWeights given = weights.isEqual() ? RowWeights.EQUAL : RowWeights.GIVEN;
    List<Tensor> inputs = new ArrayList<>(List.of(output, t));
    LossReduction reduced = reduction;
    if (given == RowWeights.GIVEN) {
      Tensor factors = Reductions.factors(operations, ofRows(operations, output, data), reduction);
      long features = t.elements() / t.shape().size(0);
      double share = reduction == LossReduction.MEAN ? 1.0 / features : 1;
      inputs.add(operations.withoutGradient(() -> operations.scale(factors, share)));
      reduced = LossReduction.SUM;
    }
    if (!positive.isEmpty()) {
      inputs.add(data.get(positiveName()));
    }
    var loss = new ValueLossOperation(function, alpha, reduced, given);
    return operations.apply(loss, inputs.toArray(Tensor[]::new));
  }

  @Override
  public String spec() {
    String name =
        switch (function) {
          case LOGISTIC -> "binary_cross_entropy";
          case SQUARED, ABSOLUTE -> function.token() + "_error";
          case HUBER, HINGE, SQUARED_HINGE, EPSILON_INSENSITIVE -> function.token();
        };
    return alpha == function.defaultAlpha() ? name : format("%s(%s)", name, alpha);
  }
}
