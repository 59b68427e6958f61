// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;
import dev.weft.data.Column;
import dev.weft.op.LossReduction;
import dev.weft.op.RowWeights;
import dev.weft.op.SoftmaxCrossEntropyDistributionOperation;
import dev.weft.op.SoftmaxCrossEntropyDistributionOperation.Kind;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The mean over rows of the cross-entropy between p = softmax(output) and distributions q, a
 * probability for each class, -Σ_c q_rc log p_rc, or of the Kullback-Leibler divergence from them,
 * Σ_c q_rc (log q_rc - log p_rc): for soft labels, and for what another network gives. A smoothing
 * s makes (1 - s) q + s / classes of q. Weights of rows are as in {@link SoftmaxCrossEntropy}.
 */
public final class DistributionLoss implements WeightedLoss {
  private static final double ROUNDING = 1e-3; // of what should add up to 1

  private record Settings(
      Kind kind, double smoothing, String target, LossWeights weights, Aggregation aggregation) {}

  private final Settings settings;

  private DistributionLoss(
      Kind kind, double smoothing, String target, LossWeights weights, Aggregation aggregation) {
    if (!(smoothing >= 0 && smoothing < 1)) {
      throw new IllegalArgumentException("label smoothing must be in [0, 1), not " + smoothing);
    }
    settings = new Settings(kind, smoothing, target, weights, aggregation);
  }

  private static DistributionLoss of(Kind kind) {
    return new DistributionLoss(kind, 0, Inputs.TARGETS, LossWeights.EQUAL, Aggregation.MEAN);
  }

  /** The cross-entropy, against {@link Inputs#TARGETS}. */
  public static DistributionLoss crossEntropyOfDistributions() {
    return of(Kind.CROSS_ENTROPY);
  }

  /** The divergence, 0 where softmax(output) is the target, against {@link Inputs#TARGETS}. */
  public static DistributionLoss klDivergence() {
    return of(Kind.KL_DIVERGENCE);
  }

  /** The same loss, with the distributions in this column of the data. */
  public DistributionLoss against(String column) {
    return new DistributionLoss(
        settings.kind, settings.smoothing, column, weights(), aggregation());
  }

  /** With label smoothing, in [0, 1). */
  public DistributionLoss smoothing(double share) {
    return new DistributionLoss(settings.kind, share, target(), weights(), aggregation());
  }

  /** With rows weighted by the numbers of a column. */
  public DistributionLoss sampleWeights(String column) {
    return new DistributionLoss(
        settings.kind, settings.smoothing, target(), weights().column(column), aggregation());
  }

  /** The sum over rows, not the mean. */
  public DistributionLoss sum() {
    return new DistributionLoss(
        settings.kind, settings.smoothing, target(), weights(), Aggregation.SUM);
  }

  @Override
  public String target() {
    return settings.target;
  }

  @Override
  public LossWeights weights() {
    return settings.weights;
  }

  @Override
  public Aggregation aggregation() {
    return settings.aggregation;
  }

  @Override
  public void check(RowType output, Inputs<RowType> data) {
    ValueTargets.check(this, output, target(), data.get(target()));
    if (output.shape().rank() != 1) {
      throw new IllegalArgumentException(
          format("%s needs a vector of scores a row, not %s", spec(), output));
    }
    weights().check(spec(), (int) output.shape().size(0), data);
  }

  @Override
  public void checkValues(RowType output, Function<String, Column> columns) {
    weights().checkValues(spec(), columns, target());
    Column q = columns.apply(target());
    for (int r = 0; r < q.rows(); r++) {
      double sum = 0;
      for (int c = 0; c < q.width(); c++) {
        if (q.get(r, c) < 0) {
          throw new IllegalArgumentException(
              format(
                  "%s needs probabilities, and row %d of %s has %s in column %d",
                  spec(), r, target(), q.get(r, c), c));
        }
        sum += q.get(r, c);
      }
      if (Math.abs(sum - 1) > ROUNDING) {
        throw new IllegalArgumentException(
            format(
                "%s needs probabilities, and row %d of %s adds up to %s, not to 1",
                spec(), r, target(), sum));
      }
    }
  }

  @Override
  public Tensor apply(Operations operations, Tensor output, Inputs<Tensor> data) {
    Tensor given = operations.wide(data.get(target()));
    double share = settings.smoothing;
    double spread = share / output.shape().size(1);
    Tensor q =
        share == 0
            ? given
            : operations.withoutGradient(
                () -> operations.shift(operations.scale(given, 1 - share), spread));
    return weights().isEqual()
        ? operations.apply(operation(aggregation().reduction(), RowWeights.EQUAL), output, q)
        : operations.apply(
            operation(LossReduction.SUM, RowWeights.GIVEN),
            output,
            q,
            factors(operations, output, data));
  }

  private SoftmaxCrossEntropyDistributionOperation operation(
      LossReduction reduction, RowWeights given) {
    return new SoftmaxCrossEntropyDistributionOperation(settings.kind, reduction, given);
  }

  @Override
  public String spec() {
    String token = settings.kind.token();
    return settings.smoothing == 0 ? token : format("%s(%s)", token, settings.smoothing);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof DistributionLoss loss && settings.equals(loss.settings);
  }

  @Override
  public int hashCode() {
    return settings.hashCode();
  }

  @Override
  public String toString() {
    return spec() + " of " + settings;
  }
}
