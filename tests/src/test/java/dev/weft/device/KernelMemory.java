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
    /** In the precision of the kernel. */
    REALS,
    /** In the precision that it computes in. */
    WIDE,
    BF16,
    INTS,
    STATE
  }

  private record Buffer(long address, int count, Content content) {}

  private final Backend backend;
  private final Precision precision;
  private final Precision rounding;
  private final List<Buffer> buffers = new ArrayList<>();

  KernelMemory(Backend backend, Precision precision) {
    this(backend, precision, precision);
  }

  /** Numbers are rounded to another precision before they are stored, but for wide arguments. */
  KernelMemory(Backend backend, Precision precision, Precision rounding) {
    this.backend = backend;
    this.precision = precision;
    this.rounding = rounding;
  }

  private Precision precision(Content content) {
    return switch (content) {
      case REALS -> precision;
      case WIDE -> precision.wide();
      case BF16 -> Precision.BF16;
      case INTS, STATE -> throw new IllegalArgumentException(content + " are no reals");
    };
  }

  private long bytes(int count, Content content) {
    return switch (content) {
      case STATE -> 32;
      case INTS -> count * 4L;
      default -> count * (long) precision(content).bytes();
    };
  }

  private long take(MemorySegment content, int count, Content kind) {
    long address = backend.allocate(content.byteSize());
    backend.copyIn(content, address);
    buffers.add(new Buffer(address, count, kind));
    return address;
  }

  /** These numbers, rounded to the precision. */
  long reals(double[] values) {
    return reals(values, Content.REALS);
  }

  /** The same for an argument that the contract calls wide. */
  long wide(double[] values) {
    return reals(values, Content.WIDE);
  }

  private long reals(double[] values, Content kind) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment content = arena.allocate(bytes(values.length, kind), 8);
      for (int i = 0; i < values.length; i++) {
        switch (precision(kind)) {
          case F32 -> {
            boolean rounds = rounding == Precision.BF16 && kind == Content.REALS;
            float value = (float) values[i];
            content.setAtIndex(ValueLayout.JAVA_FLOAT, i, rounds ? Bfloat16.round(value) : value);
          }
          case F64 -> content.setAtIndex(ValueLayout.JAVA_DOUBLE, i, values[i]);
          case BF16 ->
              content.setAtIndex(ValueLayout.JAVA_SHORT, i, Bfloat16.bits((float) values[i]));
        }
      }
      return take(content, values.length, kind);
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

  /** Numbers from -2 to 2, wide: in float32 for a kernel in bfloat16. */
  long wideSigned(int count, long seed) {
    return wide(new SplittableRandom(seed).doubles(count, -2, 2).toArray());
  }

  /** Numbers from -2 to 2 in bfloat16, whatever the kernel's precision. */
  long narrowSigned(int count, long seed) {
    return reals(new SplittableRandom(seed).doubles(count, -2, 2).toArray(), Content.BF16);
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
    return read(address, count, Content.REALS);
  }

  private double[] read(long address, int count, Content kind) {
    long bytes = bytes(count, kind);
    MemorySegment content = MemorySegment.ofArray(new byte[(int) bytes]);
    backend.copyOut(address, content);
    return IntStream.range(0, count)
        .mapToDouble(
            i ->
                switch (precision(kind)) {
                  case F32 -> content.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * i);
                  case F64 -> content.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, 8L * i);
                  case BF16 ->
                      Bfloat16.value(content.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * i));
                })
        .toArray();
  }

  private static boolean isWhole(Content content) {
    return content == Content.INTS || content == Content.STATE;
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
                isWhole(buffer.content())
                    ? words(buffer)
                    : read(buffer.address(), buffer.count(), buffer.content()))
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

  /** How far a buffer may be from another machine's, as a share of its numbers or of 1. */
  double tolerance(int buffer) {
    Content content = buffers.get(buffer).content();
    return isWhole(content) ? 1e-12 : tolerance(precision(content), 1, 1);
  }

  /** How far two results may be apart: those in bfloat16 are the same or neighbours. */
  static double tolerance(Precision precision, double x, double y) {
    double size = Double.isFinite(x) ? Math.max(1, Math.abs(x)) : 1;
    return switch (precision) {
      case F32 -> 2e-5 * size;
      case F64 -> 1e-12 * size;
      case BF16 -> {
        double larger = Math.max(Math.abs(x), Math.abs(y));
        double spacing = Double.isFinite(larger) ? Math.scalb(1, Math.getExponent(larger) - 7) : 0;
        yield Math.max(2e-5, spacing);
      }
    };
  }

  /** Integers and states must be the same; numbers close. */
  void assertSame(KernelMemory other, String what) {
    for (int b = 0; b < buffers.size(); b++) {
      Buffer mine = buffers.get(b);
      Buffer theirs = other.buffers.get(b);
      String name = "%s, %s, buffer %d".formatted(what, precision, b);
      if (isWhole(mine.content())) {
        assertEquals(
            -1,
            MemorySegment.ofArray(raw(mine)).mismatch(MemorySegment.ofArray(other.raw(theirs))),
            name);
        continue;
      }
      double[] x = read(mine.address(), mine.count(), mine.content());
      double[] y = other.read(theirs.address(), theirs.count(), theirs.content());
      Precision stored = precision(mine.content());
      for (int i = 0; i < x.length; i++) {
        assertEquals(x[i], y[i], tolerance(stored, x[i], y[i]), name + " at " + i);
      }
    }
  }
}
