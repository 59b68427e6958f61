// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.company;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.LongSupplier;

/** What processes that are no part of a row take of the processors, from now on. */
public final class Others {
  /** The processors' share from which a row is disturbed. */
  public static final double DISTURBED = 0.1;

  private static final Path STAT = Path.of("/proc/stat");
  private static final double TICK = 1e7; // nanoseconds: Linux tells users 100 a second
  // user, nice, system, then idle and waiting, then interrupts and what a hypervisor gives to
  // others
  private static final int[] COUNTED = {1, 2, 3, 6, 7, 8};

  private final LongSupplier own;
  private final long start = System.nanoTime();
  private final double before;

  /**
   * Begins to count.
   *
   * @param own the time that the row's processes have had on all processors, nanoseconds
   */
  public Others(LongSupplier own) {
    this.own = own;
    before = taken();
  }

  /** Processors that they took since then, on average; 0 where Linux does not tell. */
  public double processors() {
    return Math.max(0, (taken() - before) / (System.nanoTime() - start));
  }

  private double taken() {
    try (var lines = Files.lines(STAT)) {
      String[] numbers = lines.findFirst().orElseThrow().split("\\s+");
      double all = 0;
      for (int place : COUNTED) {
        all += TICK * Long.parseLong(numbers[place]);
      }
      return all - own.getAsLong();
    } catch (IOException e) {
      return 0;
    }
  }
}
