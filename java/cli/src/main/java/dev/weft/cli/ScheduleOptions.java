// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.optim.KernelRule;
import dev.weft.optim.OneCycle;
import dev.weft.optim.Schedule;
import dev.weft.train.Trainer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How the learning rate changes, and momentum and weight decay. */
final class ScheduleOptions {
  private static final double LEAST_MOMENTUM = 0.85 / 0.95; // PyTorch's OneCycleLR

  @Option(
      names = "--schedule",
      paramLabel = "HOW",
      description =
          "How the learning rate changes: "
              + Course.FORMS
              + "; or plateau:PATIENCE:FACTOR, times FACTOR after so many epochs in a row in which"
              + " what --watch names did not become better. weft schedule draws them. Default: it"
              + " does not.")
  private @Nullable String how;

  @Option(
      names = "--warm-up",
      paramLabel = "N",
      description =
          "The learning rate grows along a line over the first N updates. Default: it does not.")
  private @Nullable Long warmUp;

  @Option(
      names = "--momentum-schedule",
      paramLabel = "HOW",
      description =
          "How momentum, or adam's beta1, changes, in the words of --schedule; one-cycle goes down"
              + " by 0.85 / 0.95 while the rate goes up, and up again. Default: it does not.")
  private @Nullable String momentum;

  @Option(
      names = "--decay-schedule",
      paramLabel = "HOW",
      description =
          "How --weight-decay changes beside the learning rate, which it is times already, in the"
              + " words of --schedule. Default: it does not.")
  private @Nullable String decay;

  private Course course = new Course(Schedule.CONSTANT, null);
  private Schedule momentumSchedule = Schedule.CONSTANT;
  private Schedule decaySchedule = Schedule.CONSTANT;

  /**
   * Looks at the options.
   *
   * @throws IllegalArgumentException where one makes no sense, or has no effect
   */
  void check(int epochs, boolean isProfiled) {
    String given =
        how != null
            ? "--schedule"
            : warmUp != null
                ? "--warm-up"
                : momentum != null ? "--momentum-schedule" : "--decay-schedule";
    if (isProfiled && (how != null || warmUp != null || momentum != null || decay != null)) {
      throw new IllegalArgumentException(
          format(
              "--profile times steps, which take as long at any learning rate, momentum or decay:"
                  + " leave %s out",
              given));
    }
    if (how != null) {
      course = Course.of("--schedule " + how, how, epochs);
    }
    if (warmUp != null) {
      course = course.warmUp(warmUp);
    }
    if (momentum != null) {
      Schedule schedule = other("--momentum-schedule", momentum, epochs);
      momentumSchedule =
          schedule instanceof OneCycle cycle ? cycle.momentum(LEAST_MOMENTUM) : schedule;
    }
    if (decay != null) {
      decaySchedule = other("--decay-schedule", decay, epochs);
    }
  }

  /**
   * Returns if momentum stays below 1 where its schedule, which was looked at, is given.
   *
   * @throws IllegalArgumentException that says after which epoch it does not
   */
  void checkMomentum(KernelRule<?> rule, int epochs) {
    double before = rule.call().momentum();
    for (int e = 1; e <= epochs && momentum != null; e++) {
      double factor = momentumSchedule.factor(e, e);
      if ((float) (factor * before) >= 1) {
        throw new IllegalArgumentException(
            format(
                "--momentum-schedule %s brings the momentum %s to %.4g after %d epochs, which must"
                    + " stay below 1",
                momentum, before, factor * before, e));
      }
    }
  }

  private static Schedule other(String option, String word, int epochs) {
    Course course = Course.of(option + " " + word, word, epochs);
    if (course.plateau() != null) {
      throw new IllegalArgumentException(
          format("%s %s: a plateau lowers the learning rate alone", option, word));
    }
    return course.schedule();
  }

  /**
   * Returns if a run has more updates than those of the warm-up.
   *
   * @throws IllegalArgumentException where the rate would never get to its own
   */
  void checkWarmUp(long updates) {
    if (warmUp != null && warmUp >= updates) {
      throw new IllegalArgumentException(
          format(
              "--warm-up %d does not end within the %d updates of this run: give it fewer",
              warmUp, updates));
    }
  }

  /** What changes, as the middle of a line; empty where nothing does. */
  String describe() {
    return (how == null ? "" : ", schedule " + how)
        + (warmUp == null ? "" : format(", warm-up of %d updates", warmUp))
        + (momentum == null ? "" : ", momentum by " + momentum)
        + (decay == null ? "" : ", decay by " + decay);
  }

  /** When the rate falls, where that is on a plateau; else null. */
  Course.@Nullable Plateau plateau() {
    return course.plateau();
  }

  /** Gives a trainer the schedules that were looked at. */
  void apply(Trainer trainer) {
    trainer
        .schedule(course.schedule())
        .momentumSchedule(momentumSchedule)
        .decaySchedule(decaySchedule);
  }
}
