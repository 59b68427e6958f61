// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

/**
 * One side of the comparison: a network 784-H-H-10 with ReLU, softmax cross-entropy and SGD with
 * momentum in float32, its data in memory. Both sides start from the same values and see the same
 * batches in the first epoch.
 */
interface TrainingStep extends AutoCloseable {
  /** The learning rate of both sides. */
  double RATE = 0.03;

  /** The momentum of both sides. */
  double MOMENTUM = 0.9;

  /** The seed of both sides: initial values and the order of examples. */
  long SEED = 1;

  /**
   * A batch forward, backward, and the parameters changed; the batch after the last is the first.
   */
  void step();

  /** Makes a step and returns the loss of its batch. */
  double stepAndLoss();

  @Override
  void close();
}
