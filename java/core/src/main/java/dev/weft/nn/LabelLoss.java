// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;
import dev.weft.data.Column;
import java.util.OptionalInt;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A loss that compares scores of classes with a label a row, and tells right answers as it goes.
 */
public sealed interface LabelLoss extends WeightedLoss
    permits SoftmaxCrossEntropy, MultiClassHinge {
  /** The column of labels. */
  @Override
  String target();

  /** How much rows count. */
  @Override
  LossWeights weights();

  /**
   * The loss of a batch, and which of its answers are right, at no cost.
   *
   * @param hits (rows), of the wide type of the outputs: receives 1 where the largest output is the
   *     label's, else 0; or null
   */
  Tensor apply(Operations operations, Tensor output, Inputs<Tensor> data, @Nullable Tensor hits);

  @Override
  default Tensor apply(Operations operations, Tensor output, Inputs<Tensor> data) {
    return apply(operations, output, data, null);
  }

  @Override
  default void check(RowType output, Inputs<RowType> data) {
    RowType labels = data.get(target());
    if (!labels.isIds() || labels.shape().rank() != 0) {
      throw new IllegalArgumentException(
          format("%s needs class labels, and %s has %s", spec(), target(), labels));
    }
    if (output.isIds() || output.shape().rank() != 1) {
      throw new IllegalArgumentException(
          format("%s needs a vector of scores a row, not %s", spec(), output));
    }
    int classes = (int) output.shape().size(0);
    if (labels.below() > classes && weights().ignored().orElse(-1) < classes) {
      throw new IllegalArgumentException(
          format(
              "%s has %d classes and the network %d outputs", target(), labels.below(), classes));
    }
    weights().check(spec(), classes, data);
  }

  /** Each row has the label of a class, or is told to count nothing. */
  @Override
  default void checkValues(RowType output, Function<String, Column> columns) {
    Column labels = columns.apply(target());
    int classes = (int) output.shape().size(0);
    boolean all = !labels.type().padded() && labels.type().below() <= classes;
    for (int r = 0; !all && r < labels.rows(); r++) {
      int label = (int) labels.get(r, 0);
      if (label >= 0 && label < classes || weights().ignored().equals(OptionalInt.of(label))) {
        continue;
      }
      throw new IllegalArgumentException(
          label == RowType.PADDING
              ? format(
                  "%s: row %d of %s has no label: ignoring(RowType.PADDING) leaves such rows out",
                  spec(), r, target())
              : format(
                  "%s: row %d of %s has the label %d, which is no class of 0 to %d and not the"
                      + " ignored %d",
                  spec(), r, target(), label, classes - 1, weights().ignored().orElseThrow()));
    }
    weights().checkValues(spec(), columns, target());
  }
}
