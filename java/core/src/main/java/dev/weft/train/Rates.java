// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import dev.weft.StepState;
import dev.weft.optim.Schedule;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The learning rates of a run: worked out for the updates of an epoch at a time, and given to the
 * device as a table of which each step finds its own.
 */
final class Rates {
  private final Schedule schedule;
  private final int updates; // of an epoch
  private final MemorySegment table;
  private double base;

  /**
   * Rates.
   *
   * @param base what the schedule is a factor of
   * @param updates how many an epoch has
   */
  Rates(Schedule schedule, double base, int updates) {
    this.schedule = schedule;
    this.base = base;
    this.updates = updates;
    this.table = Arena.ofAuto().allocate((long) room() * Double.BYTES, Double.BYTES);
  }

  /**
   * The rates that the table holds: those of an epoch and of the first update of the next; none
   * where all are the same.
   */
  int room() {
    return schedule == Schedule.CONSTANT ? 0 : updates + 1;
  }

  /** What the schedule is a factor of. */
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
    double factor = schedule.factor(update, epochs);
    if (!(factor >= 0) || Double.isInfinite(factor)) {
      throw new IllegalArgumentException(
          format(
              "the schedule's factor for update %d, after %.3f epochs, is %s: it must be finite and"
                  + " at least 0",
              update, epochs, factor));
    }
    return base * factor;
  }

  /**
   * Gives the device the rates from a position to the end of the epoch.
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
      long place = (at.updatesOfMemory() + u - done) % room();
      table.setAtIndex(ValueLayout.JAVA_DOUBLE, place, of(update, epochs));
    }
    state.rates(table);
  }
}
