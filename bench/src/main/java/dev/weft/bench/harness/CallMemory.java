// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.harness;

import static dev.weft.format.Format.format;

import dev.weft.device.Backend;
import dev.weft.device.Bfloat16;
import dev.weft.device.Precision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Memory of one backend, filled the same way on each. */
public final class CallMemory {
  enum Content {
    /** In the precision of the kernel. */
    REALS,
    /** In the precision that it computes in. */
    WIDE,
    BF16,
    INTS,
    STATE,
    /** Eight bytes each. */
    WORDS,
    /** As REALS, whose values are each device's own affair. */
    SCRATCH
  }

  /** Numbers of a {@link SplittableRandom}, rounded to the type that they are stored in. */
  record Drawn(long seed, double low, double high) {}

  /** What was taken; drawn is null where it began with other numbers. */
  record Buffer(long address, int count, Content content, Drawn drawn) {}

  private final Backend backend;
  private final Precision precision;
  private final Precision rounding;
  private final List<Buffer> buffers = new ArrayList<>();

  public CallMemory(Backend backend, Precision precision) {
    this(backend, precision, precision);
  }

  /** Numbers are rounded to another precision before they are stored, but for wide arguments. */
  public CallMemory(Backend backend, Precision precision, Precision rounding) {
    this.backend = backend;
    this.precision = precision;
    this.rounding = rounding;
  }

  Precision precision(Content content) {
    return switch (content) {
      case REALS, SCRATCH -> precision;
      case WIDE -> precision.wide();
      case BF16 -> Precision.BF16;
      case INTS, STATE, WORDS -> throw new IllegalArgumentException(content + " are no reals");
    };
  }

  private long bytes(int count, Content content) {
    return switch (content) {
      case STATE -> 32;
      case WORDS -> count * 8L;
      case INTS -> count * 4L;
      default -> count * (long) precision(content).bytes();
    };
  }

  private long take(MemorySegment content, int count, Content kind, Drawn drawn) {
    long address = backend.allocate(content.byteSize());
    backend.copyIn(content, address);
    buffers.add(new Buffer(address, count, kind, drawn));
    return address;
  }

  private long draw(int count, long seed, double low, double high, Content kind) {
    double[] values = new SplittableRandom(seed).doubles(count, low, high).toArray();
    return reals(values, kind, new Drawn(seed, low, high));
  }

  /** These numbers, rounded to the precision. */
  public long reals(double[] values) {
    return reals(values, Content.REALS, null);
  }

  /** The same for an argument that the contract calls wide. */
  public long wide(double[] values) {
    return reals(values, Content.WIDE, null);
  }

  private long reals(double[] values, Content kind, Drawn drawn) {
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
      return take(content, values.length, kind, drawn);
    }
  }

  /** Numbers from 0.1 to 2. */
  public long reals(int count, long seed) {
    return draw(count, seed, 0.1, 2, Content.REALS);
  }

  /** Numbers from -2 to 2. */
  public long signed(int count, long seed) {
    return draw(count, seed, -2, 2, Content.REALS);
  }

  public long zeros(int count) {
    return reals(new double[count]);
  }

  /** Numbers from -2 to 2, wide: in float32 for a kernel in bfloat16. */
  public long wideSigned(int count, long seed) {
    return draw(count, seed, -2, 2, Content.WIDE);
  }

  /** Numbers from -2 to 2 in bfloat16, whatever the kernel's precision. */
  public long narrowSigned(int count, long seed) {
    return draw(count, seed, -2, 2, Content.BF16);
  }

  public long ints(int count, int bound, long seed) {
    int[] values = new SplittableRandom(seed).ints(count, 0, bound).toArray();
    return take(MemorySegment.ofArray(values), count, Content.INTS, null);
  }

  /** Seed 11, step 3, cursor 2, rate 0.05. */
  public long state() {
    long[] words = {11, 3, 2, Double.doubleToRawLongBits(0.05)};
    return take(MemorySegment.ofArray(words), 4, Content.STATE, null);
  }

  /** Bytes of a number in the precision of the kernel. */
  int size() {
    return precision.bytes();
  }

  /** Numbers from -scale to scale. */
  long scaled(int count, long seed, double scale) {
    return draw(count, seed, -scale, scale, Content.REALS);
  }

  /** An array of structs. */
  long words(long[] words) {
    return take(MemorySegment.ofArray(words), words.length, Content.WORDS, null);
  }

  /** Memory that one kernel leaves to the next, in a layout of its own. */
  long scratch(int count) {
    double[] values = new double[count];
    Arrays.fill(values, Double.NaN);
    return reals(values, Content.SCRATCH, null);
  }

  public double[] read(long address, int count) {
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

  static boolean isWhole(Content content) {
    return content == Content.INTS || content == Content.STATE || content == Content.WORDS;
  }

  byte[] raw(Buffer buffer) {
    byte[] content = new byte[(int) bytes(buffer.count(), buffer.content())];
    backend.copyOut(buffer.address(), MemorySegment.ofArray(content));
    return content;
  }

  List<Buffer> buffers() {
    return buffers;
  }

  /** The place of the buffer at an address. */
  int indexOf(long address) {
    for (int b = 0; b < buffers.size(); b++) {
      if (buffers.get(b).address() == address) {
        return b;
      }
    }
    throw new IllegalArgumentException("no buffer at " + Long.toHexString(address));
  }

  /** Gives everything back. */
  void free() {
    buffers.forEach(buffer -> backend.free(buffer.address()));
    buffers.clear();
  }

  /** Every buffer as numbers, in the order they were taken; states as their four words. */
  public List<double[]> contents() {
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
  public double tolerance(int buffer) {
    Content content = buffers.get(buffer).content();
    return isWhole(content) ? 1e-12 : tolerance(precision(content), 1, 1);
  }

  /** How far two results may be apart: those in bfloat16 are the same or neighbours. */
  public static double tolerance(Precision precision, double x, double y) {
    if (precision == Precision.BF16) {
      double smaller = Math.min(Math.abs(x), Math.abs(y));
      double spacing = Double.isFinite(smaller) ? Math.scalb(1, Math.getExponent(smaller) - 7) : 0;
      return Math.max(tolerance(precision), spacing);
    }
    return tolerance(precision) * (Double.isFinite(x) ? Math.max(1, Math.abs(x)) : 1);
  }

  /** The same as a share of a number or of 1, the spacing of bfloat16 left out. */
  static double tolerance(Precision precision) {
    return precision == Precision.F64 ? 1e-12 : 2e-5;
  }

  /**
   * Integers and states must be the same; numbers close.
   *
   * @throws AssertionError where they are not
   */
  public void assertSame(CallMemory other, String what) {
    for (int b = 0; b < buffers.size(); b++) {
      Buffer mine = buffers.get(b);
      Buffer theirs = other.buffers.get(b);
      String name = format("%s, %s, buffer %d", what, precision, b);
      if (isWhole(mine.content())) {
        if (!Arrays.equals(raw(mine), other.raw(theirs))) {
          throw new AssertionError(name + " differs");
        }
        continue;
      }
      double[] x = read(mine.address(), mine.count(), mine.content());
      double[] y = other.read(theirs.address(), theirs.count(), theirs.content());
      Precision stored = precision(mine.content());
      for (int i = 0; i < x.length; i++) {
        boolean same = Double.compare(x[i], y[i]) == 0;
        if (!same && !(Math.abs(x[i] - y[i]) <= tolerance(stored, x[i], y[i]))) {
          throw new AssertionError(format("%s at %d: %s and %s", name, i, x[i], y[i]));
        }
      }
    }
  }
}
