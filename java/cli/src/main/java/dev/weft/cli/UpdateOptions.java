// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.optim.Clip;
import dev.weft.optim.Schedule;
import dev.weft.train.Trainer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What goes into an update beside the optimizer's rule. */
final class UpdateOptions {
  @Option(
      names = "--schedule",
      paramLabel = "HOW",
      description =
          "How the learning rate changes: cosine or linear, down to 0 over all --epochs; or"
              + " steps:EPOCHS:FACTOR, times FACTOR every so many EPOCHS. Default: it does not.")
  private @Nullable String how;

  @Option(
      names = "--warm-up",
      paramLabel = "N",
      description =
          "The learning rate grows along a line over the first N updates. Default: it does not.")
  private @Nullable Long warmUp;

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

  private enum Course {
    COSINE,
    LINEAR,
    STEPS
  }

  private Schedule schedule = Schedule.CONSTANT;

  /**
   * Looks at the options.
   *
   * @throws IllegalArgumentException where one makes no sense, or has no effect
   */
  void check(int epochs, boolean isProfiled) {
    if (isProfiled && (how != null || warmUp != null || accumulated > 1)) {
      throw new IllegalArgumentException(
          accumulated > 1
              ? "--profile times updates of one batch: leave --accumulate out"
              : format(
                  "--profile times steps, which take as long at any learning rate: leave %s out",
                  how == null ? "--warm-up" : "--schedule"));
    }
    schedule = schedule(epochs);
    if (warmUp != null) {
      checkAtLeast1("--warm-up", warmUp, "update");
      schedule = schedule.warmUp(warmUp);
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

  private Schedule schedule(int epochs) {
    if (how == null) {
      return Schedule.CONSTANT;
    }
    String[] parts = how.split(":", -1);
    Course course;
    try {
      course = Choice.of("schedule", parts[0], Course.class);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(e.getMessage() + ":EPOCHS:FACTOR", e);
    }
    if (parts.length != (course == Course.STEPS ? 3 : 1)) {
      throw new IllegalArgumentException(
          format("--schedule '%s': it is cosine, linear or steps:EPOCHS:FACTOR", how));
    }
    return switch (course) {
      case COSINE -> Schedule.cosine(epochs);
      case LINEAR -> Schedule.linear(epochs);
      case STEPS -> steps(number(parts[1]), number(parts[2]), epochs);
    };
  }

  private Schedule steps(double every, double factor, int epochs) {
    Schedule steps;
    try {
      steps = Schedule.steps(every, factor);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(format("--schedule %s: %s", how, e.getMessage()), e);
    }
    if (factor == 1 || every >= epochs) {
      throw new IllegalArgumentException(
          format(
              "--schedule %s would change nothing: %s",
              how, factor == 1 ? "its factor is 1" : "--epochs " + epochs + " end before"));
    }
    return steps;
  }

  private double number(String word) {
    try {
      return Double.parseDouble(word);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          format("--schedule %s: '%s' is not a number", how, word), e);
    }
  }

  /** Whether an update is of several batches. */
  boolean isAccumulated() {
    return accumulated > 1;
  }

  /** Gives a trainer what was looked at. */
  void apply(Trainer trainer) {
    trainer.schedule(schedule).accumulate(accumulated);
    if (norm != null) {
      trainer.clip(Clip.norm(norm));
    }
    if (maxNorm != null) {
      int end = maxNorm.lastIndexOf('=');
      trainer.maxNorm(end < 0 ? "*" : maxNorm.substring(0, end), largestNorm(maxNorm));
    }
  }
}
