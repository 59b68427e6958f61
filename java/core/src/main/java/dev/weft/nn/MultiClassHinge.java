// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;
import dev.weft.op.LossReduction;
import dev.weft.op.MultiClassHingeOperation;
import dev.weft.op.RowWeights;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The mean over rows of by how much other classes come nearer to a label's score than a margin: l_r
 * = Σ_{j ≠ k} max(0, margin + x_rj - x_rk), x the outputs and k the row's label (Weston and Watkins
 * 1999). PyTorch's {@code multi_margin_loss} divides that by the number of classes. Weights of rows
 * are as in {@link SoftmaxCrossEntropy}.
 *
 * @param margin positive and finite; 1 is usual
 * @param target the column of labels
 * @param weights how much rows count
 * @param aggregation whether it is the mean over rows or their sum
 */
public record MultiClassHinge(
    double margin, String target, LossWeights weights, Aggregation aggregation)
    implements LabelLoss {

  /** Checks the settings. */
  public MultiClassHinge {
    new MultiClassHingeOperation(margin, aggregation.reduction(), RowWeights.EQUAL);
  }

  /** With a margin of 1, against {@link Inputs#TARGETS}. */
  public MultiClassHinge() {
    this(1);
  }

  /** With a margin, against {@link Inputs#TARGETS}. */
  public MultiClassHinge(double margin) {
    this(margin, Inputs.TARGETS, LossWeights.EQUAL, Aggregation.MEAN);
  }

  /** The same loss, with the labels in this column of the data. */
  public MultiClassHinge against(String column) {
    return new MultiClassHinge(margin, column, weights, aggregation);
  }

  /** With a weight for each class; {@link LossWeights#balanced} balances classes. */
  public MultiClassHinge classWeights(double... ofClasses) {
    return with(weights.classes(ofClasses));
  }

  /** With rows weighted by the numbers of a column. */
  public MultiClassHinge sampleWeights(String column) {
    return with(weights.column(column));
  }

  /**
   * Without the rows of a label: a class, {@link RowType#PADDING} where rows have no label, or a
   * number that is no class, as 255 often is in images. Of other numbers that are no class a
   * trainer says the row, and in a loop by hand they make the loss NaN.
   */
  public MultiClassHinge ignoring(int label) {
    return with(weights.ignoring(label));
  }

  /** The sum over rows, not the mean. */
  public MultiClassHinge sum() {
    return new MultiClassHinge(margin, target, weights, Aggregation.SUM);
  }

  private MultiClassHinge with(LossWeights other) {
    return new MultiClassHinge(margin, target, other, aggregation);
  }

  @Override
  public Map<String, double[]> constants(RowType output) {
    return weights.constants((int) output.shape().size(0));
  }

  @Override
  public Tensor apply(
      Operations operations, Tensor output, Inputs<Tensor> data, @Nullable Tensor hits) {
    boolean equal = weights.isEqual();
    List<Tensor> inputs = new ArrayList<>(List.of(output, data.get(target)));
    if (!equal) {
      inputs.add(factors(operations, output, data));
    }
    if (hits != null) {
      inputs.add(hits);
    }
    var loss =
        equal
            ? new MultiClassHingeOperation(margin, aggregation.reduction(), RowWeights.EQUAL)
            : new MultiClassHingeOperation(margin, LossReduction.SUM, RowWeights.GIVEN);
    return operations.apply(loss, inputs.toArray(Tensor[]::new));
  }

  @Override
  public String spec() {
    return margin == 1 ? "multi_class_hinge" : format("multi_class_hinge(%s)", margin);
  }
}
