// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;
import dev.weft.op.LossReduction;
import dev.weft.op.RowWeights;
import dev.weft.op.SoftmaxCrossEntropyDistributionOperation;
import dev.weft.op.SoftmaxCrossEntropyDistributionOperation.Kind;
import dev.weft.op.SoftmaxCrossEntropyOperation;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The mean over rows of the cross-entropy between p = softmax(output) and class labels: l_r = -Σ_c
 * q_rc log p_rc with q_r = (1 - smoothing) onehot(label) + smoothing / classes (Szegedy et al.
 * 2016), without smoothing -log of the label's probability.
 *
 * <p>With weights w of rows it is Σ_r w_r l_r / Σ_r w_r, and 0 of a batch whose weights add up to
 * 0, where PyTorch's is NaN. With weights v of classes w_r is that of the row's label, and label
 * smoothing weighs each class's term, l_r = -Σ_c q_rc v_c log p_rc, as PyTorch does; where the
 * weights of the labels add up to 0 no such term counts.
 *
 * @param smoothing label smoothing, in [0, 1)
 * @param target the column of labels
 * @param weights how much rows count
 * @param aggregation whether it is the mean over rows or their sum
 */
public record SoftmaxCrossEntropy(
    double smoothing, String target, LossWeights weights, Aggregation aggregation)
    implements LabelLoss {

  /** Checks the settings. */
  public SoftmaxCrossEntropy {
    new SoftmaxCrossEntropyOperation(smoothing);
  }

  /** Without label smoothing, against {@link Inputs#TARGETS}. */
  public SoftmaxCrossEntropy() {
    this(0);
  }

  /** With label smoothing, against {@link Inputs#TARGETS}. */
  public SoftmaxCrossEntropy(double smoothing) {
    this(smoothing, Inputs.TARGETS, LossWeights.EQUAL, Aggregation.MEAN);
  }

  /** The same loss, with the labels in this column of the data. */
  public SoftmaxCrossEntropy against(String column) {
    return new SoftmaxCrossEntropy(smoothing, column, weights, aggregation);
  }

  /** With label smoothing. */
  public SoftmaxCrossEntropy smoothing(double share) {
    return new SoftmaxCrossEntropy(share, target, weights, aggregation);
  }

  /** With a weight for each class; {@link LossWeights#balanced} balances classes. */
  public SoftmaxCrossEntropy classWeights(double... ofClasses) {
    return with(weights.classes(ofClasses));
  }

  /** With rows weighted by the numbers of a column. */
  public SoftmaxCrossEntropy sampleWeights(String column) {
    return with(weights.column(column));
  }

  /**
   * Without the rows of a label: a class, {@link RowType#PADDING} where rows have no label, or a
   * number that is no class, as 255 often is in images. Of other numbers that are no class a
   * trainer says the row, and in a loop by hand they make the loss NaN.
   */
  public SoftmaxCrossEntropy ignoring(int label) {
    return with(weights.ignoring(label));
  }

  /** The sum over rows, not the mean. */
  public SoftmaxCrossEntropy sum() {
    return new SoftmaxCrossEntropy(smoothing, target, weights, Aggregation.SUM);
  }

  private SoftmaxCrossEntropy with(LossWeights other) {
    return new SoftmaxCrossEntropy(smoothing, target, other, aggregation);
  }

  @Override
  public Map<String, double[]> constants(RowType output) {
    int classes = (int) output.shape().size(0);
    Map<String, double[]> constants = new HashMap<>(weights.constants(classes));
    constants.putAll(weights.ofRowsAlone().constants(classes)); // for smoothing
    return constants;
  }

  @Override
  public Tensor apply(
      Operations operations, Tensor output, Inputs<Tensor> data, @Nullable Tensor hits) {
    Tensor labels = data.get(target);
    if (weights.isEqual()) {
      var loss =
          new SoftmaxCrossEntropyOperation(smoothing, aggregation.reduction(), RowWeights.EQUAL);
      return hits == null
          ? operations.apply(loss, output, labels)
          : operations.apply(loss, output, labels, hits);
    }
    Tensor ofRows = ofRows(operations, output, data);
    if (smoothing == 0 || weights.classes().isEmpty()) {
      return weighted(
          operations, smoothing, output, labels, scaled(operations, ofRows, ofRows), hits);
    }
    // (1 - s) times the loss of the labels, and s times that of the weights over their number
    Tensor labelled =
        weighted(operations, 0, output, labels, scaled(operations, ofRows, ofRows), hits);
    int classes = (int) output.shape().size(1);
    Tensor spread =
        operations.withoutGradient(
            () -> operations.scale(weights.table(operations, output, data), 1.0 / classes));
    Tensor alone =
        weights.ofRowsAlone().isEqual()
            ? operations.full(ofRows.dtype(), ofRows.shape(), 1)
            : weights.ofRowsAlone().ofRows(operations, output, labels, data);
    var even =
        new SoftmaxCrossEntropyDistributionOperation(
            Kind.CROSS_ENTROPY, LossReduction.SUM, RowWeights.GIVEN);
    return operations.add(
        operations.scale(labelled, 1 - smoothing),
        operations.scale(
            operations.apply(even, output, spread, scaled(operations, alone, ofRows)), smoothing));
  }

  /** What rows are multiplied by: weights, of a mean over the sum of those that it divides by. */
  private Tensor scaled(Operations operations, Tensor ofRows, Tensor divisors) {
    return aggregation == Aggregation.SUM
        ? ofRows
        : RowWeights.shares(operations, ofRows, divisors);
  }

  private static Tensor weighted(
      Operations operations,
      double smoothing,
      Tensor output,
      Tensor labels,
      Tensor ofRows,
      @Nullable Tensor hits) {
    var loss = new SoftmaxCrossEntropyOperation(smoothing, LossReduction.SUM, RowWeights.GIVEN);
    return hits == null
        ? operations.apply(loss, output, labels, ofRows)
        : operations.apply(loss, output, labels, ofRows, hits);
  }

  @Override
  public String spec() {
    return smoothing == 0
        ? "softmax_cross_entropy"
        : format("softmax_cross_entropy(%s)", smoothing);
  }
}
