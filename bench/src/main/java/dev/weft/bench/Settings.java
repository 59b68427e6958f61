// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import dev.weft.MathMode;
import dev.weft.bench.measure.Jmh;
import dev.weft.bench.peer.Side;
import dev.weft.bench.peer.Target;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What the command line asked for.
 *
 * @param effort how long to measure
 * @param threads of all sides on the CPU
 * @param only what a row's name must contain a match of
 * @param patience how long to wait for an idle machine before each turn
 * @param targets where to measure
 * @param peers who is to run beside Weft
 * @param modes the arithmetic of Weft's products and steps
 * @param end when no more measurements begin, by {@link System#nanoTime}
 * @param turns of everything; 0 for as many as each part takes by itself
 */
record Settings(
    Effort effort,
    int threads,
    Pattern only,
    Duration patience,
    List<Target> targets,
    Set<Side> peers,
    Set<MathMode> modes,
    long end,
    int turns) {

  /** How long to measure. */
  enum Effort {
    /** No figures: whether it can be measured at all. */
    TRIAL(1, 1),
    /** A first impression, in a few minutes. */
    QUICK(2, 400),
    /** Figures to keep. */
    FULL(3, 1000);

    private final Jmh.Length length;

    Effort(int iterations, int milliseconds) {
      length = new Jmh.Length(iterations, milliseconds);
    }
  }

  /** Whether a row of this name was asked for. */
  boolean wants(String row) {
    return only.matcher(row).find();
  }

  /** The number of turns, where nothing else was asked for. */
  int turns(int quick, int full) {
    return turns > 0 ? turns : effort == Effort.FULL ? full : quick;
  }

  /** What runs benchmarks. */
  Jmh jmh() {
    return new Jmh(threads, patience, effort.length);
  }

  /**
   * Operations between two waits for a GPU: some milliseconds of them, so that waiting is little.
   */
  static int repeats(Target target, double bytes, double flops) {
    return repeats(target, bytes, flops, MathMode.STRICT);
  }

  /** The same for products in an arithmetic. */
  static int repeats(Target target, double bytes, double flops, MathMode mode) {
    return target == Target.CPU || target.isEmulated() ? 1 : repeats(bytes, flops, mode);
  }

  /** On a GPU. */
  static int repeats(double bytes, double flops, MathMode mode) {
    // an H200, roughly: more operations than needed on slower ones do no harm
    double flopsPerMicro =
        switch (mode) {
          case DOUBLE, STRICT -> 4e7;
          case FAST -> 4e8;
          case BF16 -> 8e8;
        };
    double micros = 3 + bytes / 4e6 + flops / flopsPerMicro;
    return (int) Math.clamp(4000 / micros, 1, 500);
  }
}
