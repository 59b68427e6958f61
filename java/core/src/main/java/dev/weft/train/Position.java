// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

/**
 * Where training stands: all that, with the seed, decides the order of examples and the draws of
 * what comes next.
 *
 * @param epoch finished passes over the data
 * @param batch finished batches of the next one
 * @param step finished batches in all, which random draws follow
 * @param update updates of the parameters in all, which schedules and Adam's corrections follow
 */
public record Position(long epoch, int batch, long step, long update) {
  /** Before the first batch. */
  public static final Position START = new Position(0, 0, 0, 0);

  /** Checks the numbers. */
  public Position {
    if (epoch < 0 || batch < 0 || step < 0 || update < 0) {
      throw new IllegalArgumentException("a position counts from 0");
    }
  }
}
