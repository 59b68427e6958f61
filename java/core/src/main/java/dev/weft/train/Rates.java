// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import dev.weft.StepState;
import dev.weft.optim.Groups;
import dev.weft.optim.Schedule;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The learning rates of a run, and the factors of momentum and of weight decay: worked out for the
 * updates of an epoch at a time, and given to the device as a table of which each step finds its
 * own.
 */
final class Rates {
  /** What changes while training goes on, each as a factor of the optimizer's setting. */
  record Schedules(Schedule rate, Schedule momentum, Schedule decay) {
    /**
     * Returns if the rules have what is scheduled.
     *
     * @throws IllegalArgumentException where no rule has momentum or decay, and that is scheduled
     */
    void check(Groups groups) {
      if (momentum != Schedule.CONSTANT && groups.momentum() == 0) {
        throw new IllegalArgumentException(
            format("a schedule of momentum changes nothing: %s has none", groups.base().spec()));
      }
      if (decay != Schedule.CONSTANT && groups.weightDecay() == 0) {
        throw new IllegalArgumentException(
            format(
                "a schedule of weight decay changes nothing: %s has none; give it weightDecay(x)",
                groups.base().spec()));
      }
    }

    boolean isConstant() {
      return rate == Schedule.CONSTANT
          && momentum == Schedule.CONSTANT
          && decay == Schedule.CONSTANT;
    }
  }

  private static final int NUMBERS = 3; // of an update

  private final Schedules schedules;
  private final double momentum;
  private final int updates; // of an epoch
  private final MemorySegment table;
  private double base;

  /**
   * Rates.
   *
   * @param base what the schedule of the rate is a factor of
   * @param momentum the largest that a rule has
   * @param updates how many an epoch has
   */
  Rates(Schedules schedules, double base, double momentum, int updates) {
    this.schedules = schedules;
    this.base = base;
    this.momentum = momentum;
    this.updates = updates;
    this.table = Arena.ofAuto().allocate((long) room() * NUMBERS * Double.BYTES, Double.BYTES);
  }

  /**
   * The updates that the table is for: those of an epoch and the first of the next; none where all
   * are the same.
   */
  int room() {
    return schedules.isConstant() ? 0 : updates + 1;
  }

  /** What the schedule of the rate is a factor of. */
  double base() {
    return base;
  }

  /** Sets it for the updates to come. */
  void base(double rate) {
    base = rate;
  }

  /**
   * The rate of an update.
   *
   * @param update updates before it
   * @throws IllegalArgumentException where the schedule's factor is none
   */
  double of(long update, double epochs) {
    return base * factor("", schedules.rate(), update, epochs);
  }

  /**
   * The factor of momentum in an update.
   *
   * @throws IllegalArgumentException where the schedule's factor is none, or makes a momentum 1 in
   *     float32
   */
  double momentum(long update, double epochs) {
    double factor = factor(" of momentum", schedules.momentum(), update, epochs);
    if (factor != 1 && (float) (factor * momentum) >= 1) {
      throw new IllegalArgumentException(
          format(
              "the schedule's factor of momentum for update %d, after %.3f epochs, is %s: it makes"
                  + " the momentum %s %s, which must be below 1, as float32 too",
              update, epochs, factor, momentum, factor * momentum));
    }
    return factor;
  }

  /**
   * The factor of weight decay in an update.
   *
   * @throws IllegalArgumentException where the schedule's factor is none
   */
  double decay(long update, double epochs) {
    return factor(" of weight decay", schedules.decay(), update, epochs);
  }

  private static double factor(String of, Schedule schedule, long update, double epochs) {
    double factor = schedule.factor(update, epochs);
    if (!(factor >= 0) || Double.isInfinite(factor)) {
      throw new IllegalArgumentException(
          format(
              "the schedule's factor%s for update %d, after %.3f epochs, is %s: it must be finite"
                  + " and at least 0",
              of, update, epochs, factor));
    }
    return factor;
  }

  /**
   * Returns if the schedules' factors are such where epochs begin and end, so that a run does not
   * train for long until it comes to one that is none. Those of other updates are looked at when
   * their epoch begins.
   *
   * @param done updates of the epoch before the position
   * @param last the epochs at the end of the run
   * @throws IllegalArgumentException where a factor is none, or makes a momentum 1 in float32
   */
  void check(Progress at, int done, long last) {
    if (room() == 0) {
      return;
    }
    for (long e = at.epoch() + (done == 0 ? 0 : 1); e <= last; e++) {
      long update = at.update() - done + (e - at.epoch()) * updates;
      of(update, e);
      momentum(update, e);
      decay(update, e);
    }
  }

  /**
   * Gives the device the rates and factors from a position to the end of the epoch.
   *
   * @param done updates of the epoch before the position
   */
  void give(StepState state, Progress at, int done) {
    if (room() == 0) {
      return;
    }
    for (int u = done; u <= updates; u++) {
      long update = at.update() + u - done;
      double epochs = at.epoch() + (double) u / updates;
      long place = NUMBERS * ((at.updatesOfMemory() + u - done) % room());
      table.setAtIndex(ValueLayout.JAVA_DOUBLE, place, of(update, epochs));
      table.setAtIndex(ValueLayout.JAVA_DOUBLE, place + 1, momentum(update, epochs));
      table.setAtIndex(ValueLayout.JAVA_DOUBLE, place + 2, decay(update, epochs));
    }
    state.rates(table);
  }
}
