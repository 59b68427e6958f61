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
import org.jspecify.annotations.Nullable;

/**
 * A loss of each output x against a target t of its own: its mean over all n = rows · features
 * elements, or their sum. {@link MeanSquaredError} and {@link SumOfSquares} are two of them.
 *
 * <p>With weights w of rows it is Σ_r w_r Σ_i l_ri / (features Σ_r w_r), and 0 of a batch where no
 * row counts.
 */
public sealed class ValueLoss implements WeightedLoss permits MeanSquaredError, SumOfSquares {
  /**
   * All that a loss is made of.
   *
   * @param positive for {@code LOGISTIC}, by how much more an answer of yes counts, for each
   *     output; empty where both count alike
   */
  record Settings(
      ValueLossFunction function,
      double alpha,
      String target,
      LossWeights weights,
      List<Double> positive,
      Aggregation aggregation) {

    Settings against(String column) {
      return new Settings(function, alpha, column, weights, positive, aggregation);
    }

    Settings sampleWeights(String column) {
      return new Settings(function, alpha, target, weights.column(column), positive, aggregation);
    }

    Settings sum() {
      return new Settings(function, alpha, target, weights, positive, Aggregation.SUM);
    }

    String token() {
      return ValueLossOperation.name(function, aggregation.reduction());
    }
  }

  private final Settings settings;

  ValueLoss(Settings settings) {
    new ValueLossOperation(settings.function, settings.alpha, LossReduction.MEAN, RowWeights.EQUAL);
    this.settings = settings;
  }

  static Settings of(ValueLossFunction function, double alpha, Aggregation aggregation) {
    return new Settings(function, alpha, Inputs.TARGETS, LossWeights.EQUAL, List.of(), aggregation);
  }

  private static ValueLoss of(ValueLossFunction function, double alpha) {
    return new ValueLoss(of(function, alpha, Aggregation.MEAN));
  }

  private static ValueLoss of(ValueLossFunction function) {
    return of(function, function.defaultAlpha());
  }

  /** |x - t|, with derivative 0 where they are equal. */
  public static ValueLoss meanAbsoluteError() {
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

  /** The same loss, with the targets in this column of the data. */
  public ValueLoss against(String column) {
    return new ValueLoss(settings.against(column));
  }

  /** With rows weighted by the numbers of a column. */
  public ValueLoss sampleWeights(String column) {
    return new ValueLoss(settings.sampleWeights(column));
  }

  /**
   * With a weight for the positive answers of each output of a {@link #binaryCrossEntropy}, or one
   * for all: that of the negative ones over that of the positive ones balances them. A mean is
   * divided by what it is without these weights, as PyTorch's is.
   *
   * @throws IllegalArgumentException where one is not positive and finite, or the loss has no
   *     answers of yes and no
   */
  public ValueLoss positiveWeight(double... ofOutputs) {
    if (settings.function != ValueLossFunction.LOGISTIC) {
      throw new IllegalArgumentException(
          format("%s has no answers of yes and no, whose weights could differ", spec()));
    }
    for (double weight : ofOutputs) {
      if (!(weight > 0 && weight < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            "a weight of positive answers must be positive and finite, not " + weight);
      }
    }
    List<Double> positive = Arrays.stream(ofOutputs).boxed().toList();
    return new ValueLoss(
        new Settings(
            settings.function, settings.alpha, target(), weights(), positive, aggregation()));
  }

  /** The sum over elements, not the mean. */
  public ValueLoss sum() {
    return new ValueLoss(settings.sum());
  }

  final Settings settings() {
    return settings;
  }

  @Override
  public final String target() {
    return settings.target;
  }

  @Override
  public final LossWeights weights() {
    return settings.weights;
  }

  @Override
  public final Aggregation aggregation() {
    return settings.aggregation;
  }

  @Override
  public void check(RowType output, Inputs<RowType> data) {
    ValueTargets.check(this, output, target(), data.get(target()));
    long outputs = output.shape().elements();
    int positive = settings.positive.size();
    if (positive > 1 && positive != outputs) {
      throw new IllegalArgumentException(
          format(
              "%s has weights of %d positive answers, and the network gives %d",
              spec(), positive, outputs));
    }
    weights().check(spec(), 0, data);
  }

  @Override
  public void checkValues(RowType output, Function<String, Column> columns) {
    weights().checkValues(spec(), columns, target());
    switch (settings.function) {
      case LOGISTIC -> ValueTargets.checkShares(spec(), target(), columns.apply(target()));
      case HINGE, SQUARED_HINGE ->
          ValueTargets.checkSides(spec(), target(), columns.apply(target()));
      case SQUARED, ABSOLUTE, HUBER, EPSILON_INSENSITIVE -> {}
    }
  }

  private String positiveName(long outputs) {
    return format("positive weights %s of %d outputs", settings.positive, outputs);
  }

  private double[] positive(long outputs) {
    List<Double> positive = settings.positive;
    double[] ofOutputs = new double[(int) outputs];
    Arrays.setAll(ofOutputs, i -> positive.get(Math.min(i, positive.size() - 1)));
    return ofOutputs;
  }

  @Override
  public Map<String, double[]> constants(RowType output) {
    long outputs = output.shape().elements();
    return settings.positive.isEmpty()
        ? Map.of()
        : Map.of(positiveName(outputs), positive(outputs));
  }

  @Override
  public Tensor apply(Operations operations, Tensor output, Inputs<Tensor> data) {
    Tensor t = operations.wide(data.get(target()));
    long features = t.shape().elements() / t.shape().size(0);
    boolean equal = weights().isEqual();
    List<Tensor> inputs = new ArrayList<>(List.of(output, t));
    if (!equal) {
      Tensor factors = factors(operations, output, data);
      double share = aggregation() == Aggregation.MEAN ? 1.0 / features : 1;
      inputs.add(operations.withoutGradient(() -> operations.scale(factors, share)));
    }
    if (!settings.positive.isEmpty()) {
      inputs.add(
          WeightedLoss.constant(
              operations, data, positiveName(features), output, positive(features)));
    }
    var loss =
        new ValueLossOperation(
            settings.function,
            settings.alpha,
            equal ? aggregation().reduction() : LossReduction.SUM,
            equal ? RowWeights.EQUAL : RowWeights.GIVEN);
    return operations.apply(loss, inputs.toArray(Tensor[]::new));
  }

  @Override
  public String spec() {
    String token = settings.token();
    return settings.alpha == settings.function.defaultAlpha()
        ? token
        : format("%s(%s)", token, settings.alpha);
  }

  @Override
  public final boolean equals(@Nullable Object other) {
    return other instanceof ValueLoss loss && settings.equals(loss.settings);
  }

  @Override
  public final int hashCode() {
    return settings.hashCode();
  }

  @Override
  public final String toString() {
    return spec() + " of " + settings;
  }
}
