// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import java.io.PrintStream;

/**
 * Says what is being measured, how much is done and how long it took, and ends a part when its time
 * is over.
 */
final class Progress {
  /** There is no time left. */
  static final class TimeIsUp extends RuntimeException {
    TimeIsUp(String message) {
      super(message);
    }
  }

  private final Settings settings;
  private final PrintStream out = System.out;
  private final String part;
  private final int total;
  private final long start = System.nanoTime();
  private int done;

  Progress(Settings settings, String part, int total) {
    this.settings = settings;
    this.part = part;
    this.total = total;
  }

  /**
   * Says what comes next.
   *
   * @throws TimeIsUp where it must not begin any more
   */
  void next(String what) {
    if (System.nanoTime() - settings.end() > 0) {
      throw new TimeIsUp("%s: %d of %d, then --minutes were over".formatted(part, done, total));
    }
    long seconds = (System.nanoTime() - start) / 1_000_000_000;
    String left =
        done == 0 ? "" : ", about %s left".formatted(clock(seconds * (total - done) / done));
    done++;
    out.printf("%s %d/%d, %s%s: %s%n", part, done, total, clock(seconds), left, what);
    out.flush();
  }

  private static String clock(long seconds) {
    return "%d:%02d".formatted(seconds / 60, seconds % 60);
  }
}
