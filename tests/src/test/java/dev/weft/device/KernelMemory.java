// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Memory of one backend, filled the same way on each. */
final class KernelMemory {
  private enum Content {
    REALS,
    INTS,
    STATE
  }

  private record Buffer(long address, int count, Content content) {}

  private final Backend backend;
  private final Precision precision;
  private final List<Buffer> buffers = new ArrayList<>();

  KernelMemory(Backend backend, Precision precision) {
    this.backend = backend;
    this.precision = precision;
  }

  private long bytes(int count, Content content) {
    return content == Content.STATE
        ? 32
        : count * (content == Content.REALS && precision == Precision.F64 ? 8L : 4L);
  }

  private long take(MemorySegment content, int count, Content kind) {
    long address = backend.allocate(content.byteSize());
    backend.copyIn(content, address);
    buffers.add(new Buffer(address, count, kind));
    return address;
  }

  /** These numbers, rounded to the precision. */
  long reals(double[] values) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment content = arena.allocate(bytes(values.length, Content.REALS), 8);
      for (int i = 0; i < values.length; i++) {
        if (precision == Precision.F32) {
          content.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) values[i]);
        } else {
          content.setAtIndex(ValueLayout.JAVA_DOUBLE, i, values[i]);
        }
      }
      return take(content, values.length, Content.REALS);
    }
  }

  /** Numbers from 0.1 to 2. */
  long reals(int count, long seed) {
    return reals(new SplittableRandom(seed).doubles(count, 0.1, 2).toArray());
  }

  /** Numbers from -2 to 2. */
  long signed(int count, long seed) {
    return reals(new SplittableRandom(seed).doubles(count, -2, 2).toArray());
  }

  long zeros(int count) {
    return reals(new double[count]);
  }

  long ints(int count, int bound, long seed) {
    int[] values = new SplittableRandom(seed).ints(count, 0, bound).toArray();
    return take(MemorySegment.ofArray(values), count, Content.INTS);
  }

  /** Seed 11, step 3, cursor 2, rate 0.05. */
  long state() {
    long[] words = {11, 3, 2, Double.doubleToRawLongBits(0.05)};
    return take(MemorySegment.ofArray(words), 4, Content.STATE);
  }

  double[] read(long address, int count) {
    long bytes = bytes(count, Content.REALS);
    MemorySegment content = MemorySegment.ofArray(new byte[(int) bytes]);
    backend.copyOut(address, content);
    return IntStream.range(0, count)
        .mapToDouble(
            i ->
                precision == Precision.F32
                    ? content.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * i)
                    : content.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, 8L * i))
        .toArray();
  }

  private byte[] raw(Buffer buffer) {
    byte[] content = new byte[(int) bytes(buffer.count(), buffer.content())];
    backend.copyOut(buffer.address(), MemorySegment.ofArray(content));
    return content;
  }

  /** Every buffer as numbers, in the order they were taken; states as their four words. */
  List<double[]> contents() {
    return buffers.stream()
        .map(
            buffer ->
                buffer.content() == Content.REALS
                    ? read(buffer.address(), buffer.count())
                    : words(buffer))
        .toList();
  }

  private double[] words(Buffer buffer) {
    MemorySegment bytes = MemorySegment.ofArray(raw(buffer));
    return IntStream.range(0, buffer.count())
        .mapToDouble(
            i ->
                buffer.content() == Content.INTS
                    ? bytes.get(ValueLayout.JAVA_INT_UNALIGNED, 4L * i)
                    : bytes.get(ValueLayout.JAVA_LONG_UNALIGNED, 8L * i))
        .toArray();
  }

  /** Integers and states must be the same; numbers close. */
  void assertSame(KernelMemory other, String what) {
    double tolerance = precision == Precision.F32 ? 2e-5 : 1e-12;
    for (int b = 0; b < buffers.size(); b++) {
      Buffer mine = buffers.get(b);
      Buffer theirs = other.buffers.get(b);
      String name = "%s, %s, buffer %d".formatted(what, precision, b);
      if (mine.content() != Content.REALS) {
        assertEquals(
            -1,
            MemorySegment.ofArray(raw(mine)).mismatch(MemorySegment.ofArray(other.raw(theirs))),
            name);
        continue;
      }
      double[] x = read(mine.address(), mine.count());
      double[] y = other.read(theirs.address(), theirs.count());
      for (int i = 0; i < x.length; i++) {
        double size = Double.isFinite(x[i]) ? Math.max(1, Math.abs(x[i])) : 1;
        assertEquals(x[i], y[i], tolerance * size, name + " at " + i);
      }
    }
  }
}
