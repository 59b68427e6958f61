// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * What happened in a training run.
 *
 * @param epochs one entry for each epoch, in order; the last may have been cut short
 * @param ended why the run ended, as a sentence without a full stop
 * @param best the number of the epoch whose parameters the network has: with early stopping the
 *     best one, else the last
 */
public record History(List<Epoch> epochs, String ended, long best) {

  /**
   * One pass over the training data.
   *
   * @param number counted from 1 over all runs of a trainer
   * @param steps its finished batches, as many as an epoch has unless it was cut short
   * @param train loss and metrics as they were during the pass, while the network changed
   * @param test the same on the unseen data after the pass; null where there is none, or the pass
   *     was cut short
   * @param rate the learning rate of its last update
   * @param seconds how long the pass took, evaluation not included
   */
  public record Epoch(
      long number,
      int steps,
      Evaluation train,
      @Nullable Evaluation test,
      double rate,
      double seconds) {

    /** What is watched: the evaluation on unseen data where there is one, else that of training. */
    public Evaluation watched() {
      return test == null ? train : test;
    }

    @Override
    public String toString() {
      return format("epoch %d: training %s", number, train)
          + (test == null ? "" : format("; test %s", test));
    }
  }

  /** Copies the list. */
  public History {
    epochs = List.copyOf(epochs);
  }

  /**
   * The last epoch.
   *
   * @throws NoSuchElementException where the run ended before its first step
   */
  public Epoch last() {
    return epochs.getLast();
  }

  /**
   * The epoch whose parameters the network has.
   *
   * @throws NoSuchElementException where the run ended before its first step
   */
  public Epoch bestEpoch() {
    return epochs.stream()
        .filter(epoch -> epoch.number() == best)
        .findFirst()
        .orElseThrow(() -> new NoSuchElementException("the run ended before its first step"));
  }

  /** Seconds of training in all, evaluation not included. */
  public double seconds() {
    return epochs.stream().mapToDouble(Epoch::seconds).sum();
  }
}
