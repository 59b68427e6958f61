// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import java.util.List;

/**
 * What happened in a training run.
 *
 * @param epochs one entry for each epoch, in order
 */
public record History(List<Epoch> epochs) {

  /**
   * One pass over the training data.
   *
   * @param number counted from 1
   * @param train loss and accuracy as they were during the pass, while the network changed
   * @param test loss and accuracy on the unseen data after the pass; null where there is none
   * @param seconds how long the pass took, evaluation not included
   */
  public record Epoch(int number, Evaluation train, Evaluation test, double seconds) {}

  /** Copies the list. */
  public History {
    epochs = List.copyOf(epochs);
  }

  /** The last epoch. */
  public Epoch last() {
    return epochs.getLast();
  }

  /** Seconds of training in all, evaluation not included. */
  public double seconds() {
    return epochs.stream().mapToDouble(Epoch::seconds).sum();
  }
}
