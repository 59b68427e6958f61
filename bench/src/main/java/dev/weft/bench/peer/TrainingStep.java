// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.peer;

/**
 * One side of the comparison: a network with ReLU, softmax cross-entropy and SGD with momentum, its
 * data in memory. All sides start from the same values and see the same batches in the first epoch.
 */
public interface TrainingStep extends AutoCloseable {
  /** The learning rate of all sides. */
  double RATE = 0.03;

  /** The momentum of all sides. */
  double MOMENTUM = 0.9;

  /** The seed of all sides: initial values and the order of examples. */
  long SEED = 1;

  /**
   * A batch forward, backward, and the parameters changed; the batch after the last is the first.
   * May return before a GPU is done.
   */
  void step();

  /** Returns when all steps are done. */
  void finish();

  /** Makes a step and returns the loss of its batch. */
  double stepAndLoss();

  @Override
  void close();
}
