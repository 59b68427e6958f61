// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;
import dev.weft.data.Column;
import dev.weft.op.LossReduction;
import dev.weft.op.MultiClassHingeOperation;
import dev.weft.op.RowWeights;
import java.util.Map;
import java.util.function.Function;

/**
 * The mean over rows of by how much other classes come nearer to a label's score than a margin; see
 * {@link MultiClassHingeOperation}. Weights of rows are as in {@link SoftmaxCrossEntropy}.
 *
 * @param margin positive and finite; 1 is usual
 * @param target the column of labels
 * @param weights how much rows count
 * @param reduction {@code MEAN} or {@code SUM}
 */
public record MultiClassHinge(
    double margin, String target, LossWeights weights, LossReduction reduction)
    implements WeightedLoss {

  /** Checks the settings. */
  public MultiClassHinge {
    new MultiClassHingeOperation(margin, reduction, RowWeights.EQUAL);
    Reductions.check(reduction);
  }

  /** With a margin of 1, against {@link Inputs#TARGETS}. */
  public MultiClassHinge() {
    this(1);
  }

  /** With a margin, against {@link Inputs#TARGETS}. */
  public MultiClassHinge(double margin) {
    this(margin, Inputs.TARGETS, LossWeights.EQUAL, LossReduction.MEAN);
  }

  /** Against another column. */
  public MultiClassHinge against(String column) {
    return new MultiClassHinge(margin, column, weights, reduction);
  }

  /** With a weight for each class; {@link ClassWeights} balances classes. */
  public MultiClassHinge classWeights(double... ofClasses) {
    return with(weights.classes(ofClasses));
  }

  /** With rows weighted by the numbers of a column. */
  public MultiClassHinge sampleWeights(String column) {
    return with(weights.column(column));
  }

  /** Without the rows of a label: a class, or {@link RowType#PADDING}, where rows have no label. */
  public MultiClassHinge ignoring(int label) {
    return with(weights.ignoring(label));
  }

  /** The sum over rows, not the mean. */
  public MultiClassHinge sum() {
    return new MultiClassHinge(margin, target, weights, LossReduction.SUM);
  }

  private MultiClassHinge with(LossWeights other) {
    return new MultiClassHinge(margin, target, other, reduction);
  }

  @Override
  public void check(RowType output, Inputs<RowType> data) {
    LabelTargets.check(spec(), output, data.get(target), target);
    weights.check(spec(), (int) output.shape().size(0), data);
  }

  @Override
  public void checkValues(RowType output, Function<String, Column> columns) {
    LabelTargets.checkValues(spec(), columns.apply(target), target, weights);
    weights.checkValues(spec(), columns, target);
  }

  @Override
  public Map<String, double[]> constants(RowType output) {
    return weights.constants((int) output.shape().size(0));
  }

  @Override
  public Tensor apply(Operations operations, Tensor output, Inputs<Tensor> data) {
    Tensor labels = data.get(target);
    if (weights.isEqual()) {
      var loss = new MultiClassHingeOperation(margin, reduction, RowWeights.EQUAL);
      return operations.apply(loss, output, labels);
    }
    Tensor factors = Reductions.factors(operations, ofRows(operations, output, data), reduction);
    var loss = new MultiClassHingeOperation(margin, LossReduction.SUM, RowWeights.GIVEN);
    return operations.apply(loss, output, labels, factors);
  }

  @Override
  public String spec() {
    return "multi_class_hinge";
  }
}
