// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import dev.weft.data.Dataset;
import dev.weft.data.Digits;

/** The networks 784-H-H-10 whose training step is timed, with their batch. */
public enum MlpShape {
  B64_H100(64, 100, 100),
  B128_H512(128, 512, 60),
  B1024_H2048(1024, 2048, 8);

  /** Pixels of a digit. */
  static final int INPUTS = 784;

  /** Kinds of digits. */
  static final int CLASSES = 10;

  /** Examples to train on: every batch divides it. */
  static final int EXAMPLES = 8192;

  private final int batch;
  private final int hidden;
  private final int checkedSteps;

  MlpShape(int batch, int hidden, int checkedSteps) {
    this.batch = batch;
    this.hidden = hidden;
    this.checkedSteps = checkedSteps;
  }

  /** Rows of a batch. */
  int batch() {
    return batch;
  }

  /** Width of both hidden layers. */
  int hidden() {
    return hidden;
  }

  /**
   * Steps over which the losses of both sides are compared before anything is timed: at most an
   * epoch, in which both see the same batches.
   */
  int checkedSteps() {
    return checkedSteps;
  }

  /** Weights and biases. */
  long parameters() {
    long h = hidden;
    return INPUTS * h + h + h * h + h + h * CLASSES + CLASSES;
  }

  /**
   * Floating-point operations of the products of a step: the first layer needs no gradient of x.
   */
  double flops() {
    double h = hidden;
    return 2.0 * batch * (2 * INPUTS * h + 3 * h * h + 3 * h * CLASSES);
  }

  /** The digits that both sides train on. */
  static Dataset digits() {
    return Digits.generate(EXAMPLES, 7).train();
  }

  @Override
  public String toString() {
    return "batch %d, H %d".formatted(batch, hidden);
  }
}
