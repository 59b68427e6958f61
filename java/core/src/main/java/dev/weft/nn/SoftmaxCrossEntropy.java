// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;
import dev.weft.op.SoftmaxCrossEntropyOperation;
import org.jspecify.annotations.Nullable;

/**
 * The mean over rows of the cross-entropy between softmax(output) and class labels; see {@link
 * SoftmaxCrossEntropyOperation}.
 *
 * @param smoothing label smoothing, in [0, 1)
 * @param target the column of labels
 */
public record SoftmaxCrossEntropy(double smoothing, String target) implements Loss {

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
    this(smoothing, Inputs.TARGETS);
  }

  /** Against another column. */
  public SoftmaxCrossEntropy against(String column) {
    return new SoftmaxCrossEntropy(smoothing, column);
  }

  @Override
  public void check(RowType output, Inputs<RowType> data) {
    RowType labels = data.get(target);
    if (!labels.isIds() || labels.shape().rank() != 0) {
      throw new IllegalArgumentException(
          format("%s needs class labels, and %s has %s", spec(), target, labels));
    }
    if (output.isIds() || output.shape().rank() != 1) {
      throw new IllegalArgumentException(
          format("%s needs a vector of scores a row, not %s", spec(), output));
    }
    if (labels.below() > output.shape().size(0)) {
      throw new IllegalArgumentException(
          format(
              "%s has %d classes and the network %d outputs",
              target, labels.below(), output.shape().size(0)));
    }
  }

  @Override
  public Tensor apply(Operations operations, Tensor output, Inputs<Tensor> data) {
    return apply(operations, output, data, null);
  }

  /**
   * The same, which also tells right answers, at no cost.
   *
   * @param hits (rows), of the wide type of the outputs: receives 1 where the largest output is the
   *     label's, else 0; or null
   */
  public Tensor apply(
      Operations operations, Tensor output, Inputs<Tensor> data, @Nullable Tensor hits) {
    var loss = new SoftmaxCrossEntropyOperation(smoothing);
    Tensor labels = data.get(target);
    return hits == null
        ? operations.apply(loss, output, labels)
        : operations.apply(loss, output, labels, hits);
  }

  @Override
  public String spec() {
    return "softmax_cross_entropy";
  }
}
