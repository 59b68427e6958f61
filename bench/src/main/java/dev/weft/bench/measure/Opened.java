// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.measure;

import dev.weft.device.Closing;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What a benchmark has opened, to be closed in reverse: by its end, or where its set-up fails,
 * after which JMH calls no tear-down.
 */
final class Opened {
  private final Deque<Runnable> closers = new ArrayDeque<>();

  /** Remembers how to close something. */
  void add(Runnable closer) {
    closers.push(closer);
  }

  /** Runs a set-up; where it throws, closes what it had opened. */
  void orClose(Runnable setUp) {
    try {
      setUp.run();
    } catch (RuntimeException | Error e) {
      try {
        close();
      } catch (RuntimeException also) {
        e.addSuppressed(also);
      }
      throw e;
    }
  }

  /** Closes all of it. */
  void close() {
    Closing closing = new Closing();
    while (!closers.isEmpty()) {
      closing.run(closers.pop());
    }
    closing.finish();
  }
}
