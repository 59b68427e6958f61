// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import static dev.weft.format.Format.format;

/**
 * How the learning rate changes while training goes on: the factor of the optimizer's rate by
 * update. Factors are worked out an epoch at a time, and a step finds its own on the device, so
 * that a schedule costs a step nothing.
 *
 * <pre>{@code
 * trainer.schedule(Schedule.cosine(20).warmUp(500));
 * trainer.schedule((update, epochs) -> 1 / (1 + 0.1 * epochs)); // one of your own
 * }</pre>
 */
@FunctionalInterface
public interface Schedule {
  /** The rate as the optimizer has it. */
  Schedule CONSTANT = (update, epochs) -> 1;

  /**
   * The factor of the learning rate for one update. It is asked for the update after the last one
   * of an epoch, too, also of the last epoch: what the rate is at an epoch's end is that update's.
   *
   * @param update the number of updates before it, from 0
   * @param epochs the passes over the data before it, parts of one included, from 0
   * @return finite and at least 0
   */
  double factor(long update, double epochs);

  /**
   * From 1 down to 0 along half a cosine over so many epochs, then 0 (Loshchilov and Hutter 2017).
   *
   * @throws IllegalArgumentException where they are not positive and finite
   */
  static Schedule cosine(double epochs) {
    checkLength(epochs);
    return (update, done) -> (1 + Math.cos(Math.PI * Math.min(1, done / epochs))) / 2;
  }

  /**
   * From 1 down to 0 along a line over so many epochs, then 0.
   *
   * @throws IllegalArgumentException where they are not positive and finite
   */
  static Schedule linear(double epochs) {
    checkLength(epochs);
    return (update, done) -> 1 - Math.min(1, done / epochs);
  }

  /**
   * Times a factor every so many epochs.
   *
   * @throws IllegalArgumentException where the epochs or the factor are not positive and finite
   */
  static Schedule steps(double epochs, double factor) {
    checkLength(epochs);
    if (!(factor > 0) || Double.isInfinite(factor)) {
      throw new IllegalArgumentException(
          format("a factor of the rate must be positive and finite, not %s", factor));
    }
    return (update, done) -> Math.pow(factor, Math.floor(done / epochs));
  }

  /**
   * This one, times a factor that grows along a line from 1/n in the first update to 1 in update n.
   *
   * @throws IllegalArgumentException where n is less than 1
   */
  default Schedule warmUp(long updates) {
    if (updates < 1) {
      throw new IllegalArgumentException("a warm-up takes at least 1 update, not " + updates);
    }
    return (update, done) -> factor(update, done) * Math.min(1, (update + 1.0) / updates);
  }

  private static void checkLength(double epochs) {
    if (!(epochs > 0) || Double.isInfinite(epochs)) {
      throw new IllegalArgumentException(
          format("a schedule's epochs must be positive and finite, not %s", epochs));
    }
  }
}
