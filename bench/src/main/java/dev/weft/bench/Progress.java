// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.bench.measure.Jmh;
import dev.weft.bench.report.Failure;
import dev.weft.bench.report.Measurement;
import dev.weft.bench.report.Measurement.Times;
import dev.weft.bench.report.Part;
import dev.weft.bench.report.Results;
import java.io.PrintStream;
import java.util.function.Function;

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
      throw new TimeIsUp(format("%s: %d of %d, then --minutes were over", part, done, total));
    }
    long seconds = (System.nanoTime() - start) / 1_000_000_000;
    String left =
        done == 0 ? "" : format(", about %s left", clock(seconds * (total - done) / done));
    done++;
    out.printf(ROOT, "%s %d/%d, %s%s: %s%n", part, done, total, clock(seconds), left, what);
    out.flush();
  }

  /**
   * Adds what came of a row and says it; of one that failed, why.
   *
   * @param row its name, with the device
   */
  static void done(
      Results results,
      Part part,
      String row,
      Jmh.Outcome outcome,
      Function<Times, Measurement> measurement) {
    if (outcome.failure() != null) {
      fail(results, part, row, outcome.failure());
      return;
    }
    Measurement one = measurement.apply(outcome.times());
    results.add(one);
    System.out.printf(
        ROOT,
        "  %s: %,.1f us%s%s%n",
        row,
        one.times().median(),
        one.bytes() == 0 ? "" : format(", %,.0f GB/s", one.gigabytesPerSecond()),
        one.flops() == 0 ? "" : format(", %,.0f GFLOP/s", one.gigaflops()));
  }

  /** Records a row that Weft got wrong and says it. */
  static void fail(Results results, Part part, String row, String why) {
    results.fail(new Failure(part, row, why));
    System.out.printf(ROOT, "  FAIL %s: %s%n", row, why);
  }

  private static String clock(long seconds) {
    return format("%d:%02d", seconds / 60, seconds % 60);
  }
}
