// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

/** Watches a training run. All methods are called on the thread that trains. */
public interface Listener {

  /**
   * Where training stands.
   *
   * @param epoch the epoch, from 1
   * @param epochs how many there will be
   * @param step the finished steps of this epoch
   * @param steps the steps of an epoch
   * @param loss the mean loss of this epoch so far
   * @param accuracy the share of hits of this epoch so far; NaN where targets are values
   * @param samplesPerSecond the speed of this epoch so far
   */
  record Progress(
      int epoch,
      int epochs,
      int step,
      int steps,
      double loss,
      double accuracy,
      double samplesPerSecond) {}

  /**
   * The number of steps between two calls of {@link #onProgress}. Each call waits for the device
   * and reads two numbers from it, so a small number costs speed.
   */
  default int every() {
    return 100;
  }

  /** Called every so many steps, and at the end of an epoch. */
  default void onProgress(Progress progress) {}

  /** Called after an epoch and its evaluation. */
  default void onEpoch(History.Epoch epoch) {}
}
