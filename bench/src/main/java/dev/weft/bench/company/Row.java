// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.company;

/**
 * Two sides that are asked in turn.
 *
 * @param name where and what
 * @param ratio what is divided, first / second
 * @param unit of {@link dev.weft.bench.report.Company}
 * @param quota of processors for each side; 0 for none
 * @param target for the ratio; 0 for none
 * @param least where the processor's cores are far apart; else the target
 */
public record Row(
    String name,
    String ratio,
    String unit,
    Entrant first,
    Entrant second,
    double quota,
    double target,
    double least) {

  /** Who else computes while a side does. */
  enum Beside {
    NOBODY,
    ONE_BUSY,
    ALL_BUSY,
    ITS_TWIN;

    /** Threads that spin, where there are so many processors. */
    int busy(int processors) {
      return switch (this) {
        case NOBODY, ITS_TWIN -> 0;
        case ONE_BUSY -> 1;
        case ALL_BUSY -> processors;
      };
    }
  }

  /** A side, and what it is beside. */
  record Entrant(Work work, Beside beside) {}
}
