// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.company;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What processes that are no part of a row take of the processors, from now on. */
final class Others {
  private static final Path STAT = Path.of("/proc/stat");
  private static final double TICK = 1e7; // nanoseconds: Linux tells users 100 a second
  // user, nice, system, then idle and waiting, then interrupts and what a hypervisor gives to
  // others
  private static final int[] COUNTED = {1, 2, 3, 6, 7, 8};

  private final List<Child> children;
  private final long start = System.nanoTime();
  private final double before;

  Others(List<Child> children) {
    this.children = children;
    before = taken();
  }

  /** Processors that they took since then, on average; 0 where Linux does not tell. */
  double processors() {
    return Math.max(0, (taken() - before) / (System.nanoTime() - start));
  }

  private double taken() {
    try (var lines = Files.lines(STAT)) {
      String[] numbers = lines.findFirst().orElseThrow().split("\\s+");
      double all = 0;
      for (int place : COUNTED) {
        all += TICK * Long.parseLong(numbers[place]);
      }
      return all - children.stream().mapToLong(Child::processorTime).sum();
    } catch (IOException e) {
      return 0;
    }
  }
}
