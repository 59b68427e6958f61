// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.weft.device.Arguments;
import dev.weft.device.Contract;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * What runs have shown of the number of threads that is fastest: native memory that the library
 * reads and writes, {@code weft_pace}, all zero at first. A recorded program has one of its own; a
 * single call has that of its kernel and magnitude.
 */
final class Paces {
  /** {@code weft_pace}: see {@code native/abi/library.h}. */
  static final MemoryLayout LAYOUT = MemoryLayout.sequenceLayout(23, JAVA_LONG);

  /** A magnitude is a factor of 4. */
  private static final int MAGNITUDES = 32;

  private final Arena arena;
  private final @Nullable MemorySegment[][] byKernel;

  Paces(Arena arena, int kernels) {
    this.arena = arena;
    byKernel = new MemorySegment[kernels][MAGNITUDES];
  }

  /** That of such a call. */
  MemorySegment of(Contract.Entry entry, double work) {
    int magnitude = Math.clamp(Math.getExponent(work) / 2, 0, MAGNITUDES - 1);
    MemorySegment known = byKernel[entry.number()][magnitude];
    if (known == null) {
      known = arena.allocate(LAYOUT);
      byKernel[entry.number()][magnitude] = known;
    }
    return known;
  }

  /** How much a call is to do. */
  static double work(Arguments values) {
    return values.work() + values.flops();
  }

  /** The threads of a program's runs so far, in the mean; 0 where it has not run. */
  static double meanThreads(MemorySegment pace) {
    long runs = pace.getAtIndex(JAVA_LONG, 0);
    return runs == 0 ? 0 : (double) pace.getAtIndex(JAVA_LONG, 1) / runs;
  }
}
