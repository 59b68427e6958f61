// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import static dev.weft.format.Format.format;

import java.util.Arrays;

/**
 * How the learning rate changes while training goes on: the factor of the optimizer's rate by
 * update. Factors are worked out an epoch at a time, and a step finds its own on the device, so
 * that a schedule costs a step nothing.
 *
 * {@snippet file="Examples.java" region="schedules"}
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
   * From 1 down to 0 over so many epochs, then 0: (1 - done / epochs) to a power (PyTorch's {@code
   * PolynomialLR}, Keras' {@code PolynomialDecay}).
   *
   * @throws IllegalArgumentException where the epochs or the power are not positive and finite
   */
  static Schedule polynomial(double epochs, double power) {
    checkLength(epochs);
    checkPositive("a power", power);
    return (update, done) -> Math.pow(1 - Math.min(1, done / epochs), power);
  }

  /**
   * Times a factor every so many epochs (PyTorch's {@code StepLR}).
   *
   * @throws IllegalArgumentException where the epochs or the factor are not positive and finite
   */
  static Schedule steps(double epochs, double factor) {
    checkLength(epochs);
    checkFactor(factor);
    return (update, done) -> Math.pow(factor, multiple(done, epochs));
  }

  /**
   * Times a factor at each of some milestones (PyTorch's {@code MultiStepLR}).
   *
   * @param milestones epochs done, growing
   * @throws IllegalArgumentException where the factor or a milestone is not positive and finite,
   *     the milestones do not grow, or there is none
   */
  static Schedule multiStep(double factor, double... milestones) {
    checkFactor(factor);
    if (milestones.length == 0) {
      throw new IllegalArgumentException("steps at milestones need at least 1 milestone");
    }
    double[] at = milestones.clone();
    for (int i = 0; i < at.length; i++) {
      checkLength(at[i]);
      if (i > 0 && at[i] <= at[i - 1]) {
        throw new IllegalArgumentException(
            format("milestones must grow, and %s stands behind %s", at[i], at[i - 1]));
      }
    }
    return (update, done) ->
        Math.pow(factor, Arrays.stream(at).filter(milestone -> isOver(milestone, done)).count());
  }

  /**
   * A factor to the power of the epochs done: evenly, a part of it in each update. At the end of
   * each epoch it is PyTorch's {@code ExponentialLR}, which keeps the rate within an epoch, as
   * {@code steps(1, factor)} does.
   *
   * @throws IllegalArgumentException where the factor is not positive and finite
   */
  static Schedule exponential(double factor) {
    checkFactor(factor);
    return (update, done) -> Math.pow(factor, done);
  }

  /**
   * From 1 down to 0 along half a cosine, again and again, each time over as many times the epochs
   * as {@code growth} says (Loshchilov and Hutter 2017, SGDR; PyTorch's {@code
   * CosineAnnealingWarmRestarts}). After restart i, of length T_i = first growth^i, it is (1 +
   * cos(pi t / T_i)) / 2, t epochs later.
   *
   * @param first epochs before the first restart
   * @param growth 1: all are as long
   * @throws IllegalArgumentException where the epochs are not positive and finite, or the growth is
   *     below 1 or not finite
   */
  static Schedule cosineRestarts(double first, double growth) {
    checkLength(first);
    if (!(growth >= 1) || Double.isInfinite(growth)) {
      throw new IllegalArgumentException(
          format("lengths between restarts grow by a factor of at least 1, not %s", growth));
    }
    return (update, done) -> {
      double start = 0;
      double length = first;
      if (growth == 1) {
        start = first * multiple(done, first);
      } else {
        while (isOver(start + length, done)) {
          start += length;
          length *= growth;
        }
      }
      return (1 + Math.cos(Math.PI * (done - start) / length)) / 2;
    };
  }

  /**
   * Up to the optimizer's rate, which is the largest, and down far below where it began, all over
   * so many epochs: see {@link OneCycle}, whose settings are those of PyTorch's {@code OneCycleLR}.
   *
   * @throws IllegalArgumentException where they are not positive and finite
   */
  static OneCycle oneCycle(double epochs) {
    return OneCycle.over(epochs);
  }

  /**
   * Grows along a line over so many updates, then falls with the root of their number: update n has
   * min(n / N, sqrt(N / n)). It is Vaswani et al.'s (2017, "Noam") as a factor of its largest rate,
   * which is 1 / sqrt(d N) there.
   *
   * @param updates N, that of the largest rate
   * @throws IllegalArgumentException where they are less than 1
   */
  static Schedule inverseSquareRoot(long updates) {
    checkWarmUp(updates);
    return (update, done) ->
        Math.min((update + 1.0) / updates, Math.sqrt(updates / (update + 1.0)));
  }

  /**
   * This one, times a factor that grows along a line from 1/n in the first update to 1 in update n.
   *
   * @throws IllegalArgumentException where n is less than 1
   */
  default Schedule warmUp(long updates) {
    checkWarmUp(updates);
    return (update, done) -> factor(update, done) * Math.min(1, (update + 1.0) / updates);
  }

  /**
   * This one, times a factor that grows along a line over n updates, from one that is given in the
   * first to 1 in the update behind them (PyTorch's {@code LinearLR}).
   *
   * @param from in [0, 1): PyTorch's {@code start_factor}
   * @throws IllegalArgumentException where n is less than 1, or the factor is none of these
   */
  default Schedule warmUp(long updates, double from) {
    checkWarmUp(updates);
    Optimizer.checkDecay("the factor that a warm-up begins with", from);
    return (update, done) ->
        factor(update, done) * (from + (1 - from) * Math.min(1, (double) update / updates));
  }

  /**
   * This one, of 1 to 0, as one of 1 to {@code least}: least + (1 - least) times its factor. {@code
   * cosine(20).downTo(0.01)} ends at a hundredth of the rate: PyTorch's {@code eta_min}, Keras'
   * {@code alpha} and {@code end_learning_rate}, as a factor.
   *
   * @throws IllegalArgumentException where it is outside [0, 1)
   */
  default Schedule downTo(double least) {
    Optimizer.checkDecay("the least factor of the rate", least);
    return (update, done) -> least + (1 - least) * factor(update, done);
  }

  /**
   * This one for so many epochs, then another from its start (PyTorch's {@code SequentialLR}),
   * which counts epochs and updates from there. Where the change is in updates follows from how
   * many an epoch had so far.
   *
   * @throws IllegalArgumentException where the epochs are not positive and finite
   */
  default Schedule then(double epochs, Schedule other) {
    checkLength(epochs);
    return (update, done) -> {
      if (!isOver(epochs, done)) {
        return factor(update, done);
      }
      long before = (long) Math.ceil(update * (epochs / done) - 1e-6);
      return other.factor(update - before, Math.max(0, done - epochs));
    };
  }

  /** The product of this one and another (PyTorch's {@code ChainedScheduler}). */
  default Schedule times(Schedule other) {
    return (update, done) -> factor(update, done) * other.factor(update, done);
  }

  /** Whether so many epochs are done, of which parts are rounded. */
  private static boolean isOver(double epochs, double done) {
    return epochs <= done * (1 + 1e-12);
  }

  /** How many times so many epochs are done, of which parts are rounded. */
  private static double multiple(double done, double epochs) {
    return Math.floor(done / epochs * (1 + 1e-12));
  }

  private static void checkLength(double epochs) {
    checkPositive("a schedule's epochs", epochs);
  }

  private static void checkFactor(double factor) {
    checkPositive("a factor of the rate", factor);
  }

  private static void checkPositive(String what, double value) {
    if (!(value > 0) || Double.isInfinite(value)) {
      throw new IllegalArgumentException(
          format("%s must be positive and finite, not %s", what, value));
    }
  }

  private static void checkWarmUp(long updates) {
    if (updates < 1) {
      throw new IllegalArgumentException("a warm-up takes at least 1 update, not " + updates);
    }
  }
}
