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

/**
 * The mean over rows of the cross-entropy between softmax(output) and distributions, a probability
 * for each class, or of the Kullback-Leibler divergence from them: soft labels, and what another
 * network gives; see {@link SoftmaxCrossEntropyDistributionOperation}.
 *
 * @param kind which of both
 * @param smoothing the share of probability that is spread over all classes, in [0, 1)
 * @param target the column of probabilities
 * @param weights how much rows count, by a column of weights alone
 * @param reduction {@code MEAN} or {@code SUM}
 */
public record DistributionLoss(
    Kind kind, double smoothing, String target, LossWeights weights, LossReduction reduction)
    implements WeightedLoss {
  private static final double ROUNDING = 1e-3; // of what should add up to 1

  /** Checks the settings. */
  public DistributionLoss {
    if (!(smoothing >= 0 && smoothing < 1)) {
      throw new IllegalArgumentException("label smoothing must be in [0, 1), not " + smoothing);
    }
    if (!weights.equals(LossWeights.EQUAL.column(weights.column()))) {
      throw new IllegalArgumentException(
          "a row with a probability for each class has no label, so that neither weights of classes"
              + " nor an ignored label say how much it counts: give it a weight in a column");
    }
    Reductions.check(reduction);
  }

  /** The cross-entropy, against {@link Inputs#TARGETS}. */
  public static DistributionLoss crossEntropy() {
    return of(Kind.CROSS_ENTROPY);
  }

  /** The divergence, 0 where softmax(output) is the target, against {@link Inputs#TARGETS}. */
  public static DistributionLoss divergence() {
    return of(Kind.KL_DIVERGENCE);
  }

  private static DistributionLoss of(Kind kind) {
    return new DistributionLoss(kind, 0, Inputs.TARGETS, LossWeights.EQUAL, LossReduction.MEAN);
  }

  /** Against another column. */
  public DistributionLoss against(String column) {
    return new DistributionLoss(kind, smoothing, column, weights, reduction);
  }

  /** With label smoothing. */
  public DistributionLoss smoothing(double share) {
    return new DistributionLoss(kind, share, target, weights, reduction);
  }

  /** With rows weighted by the numbers of a column. */
  public DistributionLoss sampleWeights(String column) {
    return new DistributionLoss(kind, smoothing, target, weights.column(column), reduction);
  }

  /** The sum over rows, not the mean. */
  public DistributionLoss sum() {
    return new DistributionLoss(kind, smoothing, target, weights, LossReduction.SUM);
  }

  @Override
  public void check(RowType output, Inputs<RowType> data) {
    ValueTargets.check(this, output, target, data.get(target));
    if (output.shape().rank() != 1) {
      throw new IllegalArgumentException(
          format("%s needs a vector of scores a row, not %s", spec(), output));
    }
    weights.check(spec(), (int) output.shape().size(0), data);
  }

  @Override
  public void checkValues(RowType output, Function<String, Column> columns) {
    weights.checkValues(spec(), columns, target);
    Column q = columns.apply(target);
    for (int r = 0; r < q.rows(); r++) {
      double sum = 0;
      for (int c = 0; c < q.width(); c++) {
        if (q.get(r, c) < 0) {
          throw new IllegalArgumentException(
              format(
                  "%s needs probabilities, and row %d of %s has %s in column %d",
                  spec(), r, target, q.get(r, c), c));
        }
        sum += q.get(r, c);
      }
      if (Math.abs(sum - 1) > ROUNDING) {
        throw new IllegalArgumentException(
            format(
                "%s needs probabilities, and row %d of %s adds up to %s, not to 1",
                spec(), r, target, sum));
      }
    }
  }

  @Override
  public Tensor apply(Operations operations, Tensor output, Inputs<Tensor> data) {
    Tensor given = operations.wide(data.get(target));
    double spread = smoothing / output.shape().size(1);
    Tensor q =
        smoothing == 0
            ? given
            : operations.withoutGradient(
                () -> operations.shift(operations.scale(given, 1 - smoothing), spread));
    if (weights.isEqual()) {
      return operations.apply(
          new SoftmaxCrossEntropyDistributionOperation(kind, reduction, RowWeights.EQUAL),
          output,
          q);
    }
    Tensor factors = Reductions.factors(operations, ofRows(operations, output, data), reduction);
    return operations.apply(
        new SoftmaxCrossEntropyDistributionOperation(kind, LossReduction.SUM, RowWeights.GIVEN),
        output,
        q,
        factors);
  }

  @Override
  public String spec() {
    return kind == Kind.CROSS_ENTROPY ? "cross_entropy_of_distributions" : "divergence";
  }
}
