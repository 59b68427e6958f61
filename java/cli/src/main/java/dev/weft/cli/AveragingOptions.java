// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.train.Averaging;
import dev.weft.train.Trainer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Whether an average of the weights is kept. */
final class AveragingOptions {
  @Option(
      names = "--ema",
      paramLabel = "DECAY",
      description =
          "An exponential moving average of the weights, of which an update keeps DECAY, such as"
              + " 0.999, is evaluated and written.")
  private @Nullable Double decay;

  @Option(
      names = "--swa",
      paramLabel = "EPOCH",
      description =
          "The mean of the weights at the end of each epoch from EPOCH on is evaluated and written,"
              + " batch norm's running values found anew for it.")
  private @Nullable Long fromEpoch;

  /**
   * Looks at the options.
   *
   * @throws IllegalArgumentException where one makes no sense, or has no effect
   */
  void check(int epochs, boolean isProfiled) {
    if (decay != null && fromEpoch != null) {
      throw new IllegalArgumentException("--ema and --swa are two averages: leave one out");
    }
    if (isProfiled && fromEpoch != null) {
      throw new IllegalArgumentException(
          "--profile trains no epoch whose weights --swa could average: leave one out");
    }
    if (fromEpoch != null && fromEpoch >= epochs) {
      throw new IllegalArgumentException(
          format(
              "--swa %d averages the weights at the ends of epochs, of two at least, and --epochs"
                  + " %d leave %s",
              fromEpoch, epochs, fromEpoch == epochs ? "one" : "none"));
    }
    try {
      averaging();
    } catch (IllegalArgumentException e) {
      String option = decay != null ? "--ema" : "--swa";
      throw new IllegalArgumentException(format("%s: %s", option, e.getMessage()), e);
    }
  }

  private @Nullable Averaging averaging() {
    if (decay != null) {
      return Averaging.exponential(decay);
    }
    return fromEpoch == null ? null : Averaging.stochastic(fromEpoch);
  }

  /** Whether an average is kept. */
  boolean keepsAverage() {
    return decay != null || fromEpoch != null;
  }

  /** What is written, as the end of a sentence, where an average is kept in so many updates. */
  String describe(long updates) {
    if (decay != null && 1 / (1 - decay) > updates) {
      return format(
          "an exponential moving average of about the last %s updates, and there are %d: a lower"
              + " --ema keeps the first weights out of it",
          Amount.count(Math.round(1 / (1 - decay))), updates);
    }
    return decay != null
        ? format("an exponential moving average, decay %s", decay)
        : format("the mean of those at the end of each epoch from %d on", fromEpoch);
  }

  /** Gives a trainer what was looked at. */
  void apply(Trainer trainer) {
    trainer.averaging(averaging());
  }
}
