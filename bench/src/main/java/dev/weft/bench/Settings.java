// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import java.time.Duration;
import java.util.regex.Pattern;

/**
 * What the command line asked for.
 *
 * @param effort how long to measure
 * @param threads of both sides
 * @param only what a row's name must contain a match of
 * @param patience how long to wait for an idle machine before each measurement
 */
record Settings(Effort effort, int threads, Pattern only, Duration patience) {

  /** How long to measure. */
  enum Effort {
    /** A first impression, in a few minutes. */
    QUICK,
    /** Figures to keep. */
    FULL
  }

  /** Whether a row of this name was asked for. */
  boolean wants(String row) {
    return only.matcher(row).find();
  }

  /** The value for the effort. */
  int choose(int quick, int full) {
    return effort == Effort.QUICK ? quick : full;
  }
}
