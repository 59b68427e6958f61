// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.op.LabelWeights;
import dev.weft.op.TopHits;
import java.util.OptionalInt;

/**
 * The share of rows whose label is among the k largest outputs, of equal ones the first taken for
 * larger. {@code new Accuracy()} is called {@code accuracy}, {@code Accuracy.top(5)} {@code
 * top_5_accuracy}; against another column than {@link Inputs#TARGETS} that stands before it: {@code
 * next accuracy}, {@code next top_5_accuracy}. It is NaN where the loss is, and where no row
 * counts.
 *
 * @param k how many outputs may be the label's
 * @param target the column of labels
 * @param ignored the label of rows that count neither as right nor as wrong: a class, {@link
 *     RowType#PADDING}, or a number that is no class
 */
public record Accuracy(int k, String target, OptionalInt ignored) implements Metric {

  /** Checks k. */
  public Accuracy {
    new TopHits(k);
  }

  /** The largest output alone, against {@link Inputs#TARGETS}. */
  public Accuracy() {
    this(1, Inputs.TARGETS, OptionalInt.empty());
  }

  /**
   * One of the k largest outputs, against {@link Inputs#TARGETS}.
   *
   * @throws IllegalArgumentException where k is less than 1
   */
  public static Accuracy top(int k) {
    return new Accuracy(k, Inputs.TARGETS, OptionalInt.empty());
  }

  /** The same share, with the labels in this column of the data. */
  public Accuracy against(String column) {
    return new Accuracy(k, column, ignored);
  }

  /**
   * Without the rows of a label: a class, {@link RowType#PADDING} where rows have no label, or a
   * number that is no class.
   */
  public Accuracy ignoring(int label) {
    return new Accuracy(k, target, OptionalInt.of(label));
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

  /** With an ignored label the number of rows that count is a second one. */
  @Override
  public int sums() {
    return ignored.isPresent() ? 2 : 1;
  }

  @Override
  public Tensor values(Operations operations, Tensor output, Inputs<Tensor> data) {
    Tensor labels = data.get(target);
    Tensor hits = operations.topHits(output, labels, k);
    if (ignored.isEmpty()) {
      return hits;
    }
    long rows = labels.elements();
    Tensor counts = operations.reshape(counts(operations, output, labels), rows, 1);
    Tensor counted = operations.multiply(operations.reshape(hits, rows, 1), counts);
    return operations.concat(1, counted, counts);
  }

  /** 1 for a row that counts, else 0. */
  private Tensor counts(Operations operations, Tensor output, Tensor labels) {
    int label = ignored.getAsInt();
    if (label < 0) { // any class is among all of them
      return operations.topHits(output, labels, (int) output.shape().size(1));
    }
    DType wide = output.dtype().wide();
    Tensor ones = operations.full(wide, Shape.of(output.shape().size(1)), 1);
    Tensor weights = operations.apply(new LabelWeights(ignored), labels, ones); // NaN of no class
    return operations.notEqual(weights, operations.full(wide, Shape.of(1), 0));
  }

  @Override
  public double of(double[] sums, long rows) {
    return sums[0] / (ignored.isPresent() ? sums[1] : rows);
  }

  /** The hits of rows that all count, in memory (rows). */
  void values(Operations operations, Tensor output, Inputs<Tensor> data, Tensor hits) {
    operations.apply(new TopHits(k), output, data.get(target), hits);
  }
}
