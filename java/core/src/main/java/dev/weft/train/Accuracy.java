// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;
import dev.weft.op.TopHits;

/**
 * The share of rows whose label is among the k largest outputs, of equal ones the first taken for
 * larger. {@code new Accuracy()} is called {@code accuracy}, {@code Accuracy.top(5)} {@code
 * top_5_accuracy}; against another column than {@link Inputs#TARGETS} that stands before it: {@code
 * next accuracy}, {@code next top_5_accuracy}. It is NaN where the loss is.
 *
 * @param k how many outputs may be the label's
 * @param target the column of labels
 */
public record Accuracy(int k, String target) implements Metric {

  /** Checks k. */
  public Accuracy {
    new TopHits(k);
  }

  /** The largest output alone, against {@link Inputs#TARGETS}. */
  public Accuracy() {
    this(1, Inputs.TARGETS);
  }

  /**
   * One of the k largest outputs, against {@link Inputs#TARGETS}.
   *
   * @throws IllegalArgumentException where k is less than 1
   */
  public static Accuracy top(int k) {
    return new Accuracy(k, Inputs.TARGETS);
  }

  /** Against another column. */
  public Accuracy against(String column) {
    return new Accuracy(k, column);
  }

  @Override
  public String name() {
    String share = k == 1 ? Evaluation.ACCURACY : format("top_%d_accuracy", k);
    return target.equals(Inputs.TARGETS) ? share : target + " " + share;
  }

  @Override
  public void check(RowType output, Inputs<RowType> data) {
    RowType labels = data.get(target);
    if (!labels.isIds() || labels.shape().rank() != 0) {
      throw new IllegalArgumentException(
          format("%s needs class labels, and %s has %s", name(), target, labels));
    }
    if (output.isIds() || output.shape().rank() != 1) {
      throw new IllegalArgumentException(
          format("%s needs a vector of scores a row, not %s", name(), output));
    }
  }

  @Override
  public Tensor values(Operations operations, Tensor output, Inputs<Tensor> data) {
    return operations.topHits(output, data.get(target), k);
  }

  /** The same, in memory (rows). */
  void values(Operations operations, Tensor output, Inputs<Tensor> data, Tensor hits) {
    operations.apply(new TopHits(k), output, data.get(target), hits);
  }
}
