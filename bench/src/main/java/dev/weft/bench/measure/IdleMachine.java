// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.measure;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;

/** Waits for a moment in which nothing else runs on the machine. */
public final class IdleMachine {
  /** The share of all cores that may be busy. */
  private static final double BUSY = 0.05;

  private static final Duration LOOK = Duration.ofSeconds(1);

  private IdleMachine() {}

  /** Returns when the machine was idle for a second, or when that much time has passed. */
  public static void await(Duration most) {
    var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long end = System.nanoTime() + most.toNanos();
    system.getCpuLoad();
    while (System.nanoTime() < end) {
      try {
        Thread.sleep(LOOK);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
      // of the time since the last look, in which this process slept
      if (system.getCpuLoad() <= BUSY) {
        return;
      }
    }
  }
}
