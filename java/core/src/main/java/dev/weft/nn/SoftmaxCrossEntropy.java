// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.Operations;
import dev.weft.Tensor;

/**
 * The mean over rows of the cross-entropy between softmax(output) and class labels; see {@link
 * dev.weft.op.SoftmaxCrossEntropy}.
 *
 * @param smoothing label smoothing, in [0, 1)
 */
public record SoftmaxCrossEntropy(double smoothing) implements Loss {

  /** Checks the settings. */
  public SoftmaxCrossEntropy {
    new dev.weft.op.SoftmaxCrossEntropy(smoothing);
  }

  /** Without label smoothing. */
  public SoftmaxCrossEntropy() {
    this(0);
  }

  @Override
  public Target target() {
    return Target.LABELS;
  }

  @Override
  public Tensor apply(Operations operations, Tensor output, Tensor target, Tensor hits) {
    var loss = new dev.weft.op.SoftmaxCrossEntropy(smoothing);
    return hits == null
        ? operations.apply(loss, output, target)
        : operations.apply(loss, output, target, hits);
  }

  @Override
  public double weight(long rows) {
    return rows;
  }

  @Override
  public String spec() {
    return "softmax_cross_entropy";
  }
}
