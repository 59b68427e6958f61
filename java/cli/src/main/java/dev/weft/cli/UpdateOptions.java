// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.optim.Clip;
import dev.weft.train.Trainer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What goes into an update beside the optimizer's rule and its rate. */
final class UpdateOptions {
  @Option(
      names = "--clip",
      paramLabel = "NORM",
      description =
          "A gradient of all parameters that is longer is shortened to NORM. Default: none is.")
  private @Nullable Double norm;

  @Option(
      names = "--max-norm",
      paramLabel = "[PATTERN=]NORM",
      description =
          "After each update, weights into one unit whose norm is larger are scaled back to NORM."
              + " PATTERN names the matrices, such as '*.weight'; without it all are. Default: none"
              + " are.")
  private @Nullable String maxNorm;

  @Option(
      names = "--accumulate",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Batches whose gradients are one update, that of a batch of all their examples. Default:"
              + " ${DEFAULT-VALUE}.")
  private int accumulated;

  /**
   * Looks at the options.
   *
   * @throws IllegalArgumentException where one makes no sense, or has no effect
   */
  void check(boolean isProfiled) {
    if (isProfiled && accumulated > 1) {
      throw new IllegalArgumentException(
          "--profile times updates of one batch: leave --accumulate out");
    }
    checkNorm("--clip", norm);
    checkNorm("--max-norm", maxNorm == null ? null : largestNorm(maxNorm));
    checkAtLeast1("--accumulate", accumulated, "batch");
  }

  /** What stands behind the pattern, if there is one. */
  private static double largestNorm(String maxNorm) {
    String norm = maxNorm.substring(maxNorm.lastIndexOf('=') + 1);
    try {
      return Double.parseDouble(norm);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          format("--max-norm takes a number, or PATTERN=number, not '%s'", maxNorm), e);
    }
  }

  private static void checkNorm(String option, @Nullable Double norm) {
    if (norm != null && (!(norm > 0) || Double.isInfinite(norm))) {
      throw new IllegalArgumentException(
          format("%s must be positive and finite, not %s", option, norm));
    }
  }

  /**
   * Returns if a number is one of something.
   *
   * @throws IllegalArgumentException where it is less than 1
   */
  static void checkAtLeast1(String option, long value, String unit) {
    if (value < 1) {
      throw new IllegalArgumentException(
          format("%s must be at least 1 %s, not %d", option, unit, value));
    }
  }

  /** How many batches are an update. */
  int count() {
    return accumulated;
  }

  /** Whether an update is of several batches. */
  boolean isAccumulated() {
    return accumulated > 1;
  }

  /** Gives a trainer what was looked at. */
  void apply(Trainer trainer) {
    trainer.accumulate(accumulated);
    if (norm != null) {
      trainer.clip(Clip.norm(norm));
    }
    if (maxNorm != null) {
      int end = maxNorm.lastIndexOf('=');
      trainer.maxNorm(end < 0 ? "*" : maxNorm.substring(0, end), largestNorm(maxNorm));
    }
  }
}
