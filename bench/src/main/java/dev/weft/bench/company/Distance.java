// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.company;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * How far apart two processors are now: the time that a word of memory takes to the other one and
 * back. A host may move a virtual machine's processors between neighbours and different chips from
 * second to second, and what two threads make follows.
 */
final class Distance {
  private static final int TRIPS = 100;
  private static final int SERIES = 10;
  private static final long LONG = 20_000_000; // ns: both are compiled, and apart, after some

  private Distance() {}

  /** Nanoseconds of a round trip, of the best of some series. */
  static double nanoseconds() {
    AtomicInteger word = new AtomicInteger();
    Thread other = Thread.ofPlatform().daemon().start(() -> answer(word));
    long deadline = System.nanoTime() + LONG;
    double best = Double.MAX_VALUE;
    long start = System.nanoTime();
    for (int series = 0; series < SERIES || start < deadline; series++) {
      for (int trip = 0; trip < TRIPS; trip++) {
        int asked = word.get() + 1;
        word.set(asked);
        while (word.get() == asked) {
          Thread.onSpinWait();
        }
      }
      long end = System.nanoTime();
      best = Math.min(best, (double) (end - start) / TRIPS);
      start = end;
    }
    other.interrupt();
    return best;
  }

  /** Makes each odd number even, until it is interrupted. */
  private static void answer(AtomicInteger word) {
    while (!Thread.currentThread().isInterrupted()) {
      int seen = word.get();
      if (seen % 2 == 1) {
        word.set(seen + 1);
      } else {
        Thread.onSpinWait();
      }
    }
  }
}
