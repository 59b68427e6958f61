// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.kernel;

import static dev.weft.format.Format.format;

import dev.weft.device.Access;
import dev.weft.device.Arguments;
import dev.weft.device.Backend;
import dev.weft.device.Bfloat16;
import dev.weft.device.Element;
import dev.weft.device.Operand;
import dev.weft.device.Precision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.LongToDoubleFunction;
import java.util.stream.IntStream;

/** Memory of one backend, filled the same way on each; as much as the contract says. */
public final class KernelMemory implements AutoCloseable {
  /** Numbers of a {@link SplittableRandom}, rounded to the type that they are stored in. */
  public record Drawn(long seed, double low, double high) {}

  /** How numbers lie in memory; in the order of the harness. */
  public enum Type {
    F32,
    F64,
    BF16,
    I32,
    I64,
    U8;

    public static Type of(Element element, Precision kernel) {
      return switch (element) {
        case T, OPAQUE -> valueOf(kernel.name());
        case WIDE -> valueOf(kernel.wide().name());
        case F32, F64, BF16 -> valueOf(element.name());
        case INT32 -> I32;
        case UINT8 -> U8;
        case STATE, LAYER -> I64;
      };
    }

    /** Whether they are no floating-point numbers. */
    public boolean isWhole() {
      return compareTo(BF16) > 0;
    }

    /** How far two may be apart as a share of one or of 1, the spacing of bfloat16 left out. */
    public double tolerance() {
      return isWhole() ? 0 : this == F64 ? 1e-12 : 2e-5;
    }

    /** The same of these two: those in bfloat16 may be neighbours. */
    public double tolerance(double x, double y) {
      double smaller = Math.min(Math.abs(x), Math.abs(y));
      return this == BF16 && Double.isFinite(smaller)
          ? Math.max(tolerance(), Math.scalb(1, Math.getExponent(smaller) - 7))
          : tolerance() * (Double.isFinite(x) ? Math.max(1, Math.abs(x)) : 1);
    }

    private double round(double value) {
      return this == F32 ? (float) value : this == BF16 ? Bfloat16.round((float) value) : value;
    }

    /** Words of eight bytes come as the bits of a number. */
    private void put(MemorySegment to, long i, double value) {
      switch (this) {
        case F32 -> to.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) value);
        case F64, I64 -> to.setAtIndex(ValueLayout.JAVA_DOUBLE, i, value);
        case BF16 -> to.setAtIndex(ValueLayout.JAVA_SHORT, i, Bfloat16.bits((float) value));
        case I32 -> to.setAtIndex(ValueLayout.JAVA_INT, i, (int) value);
        case U8 -> to.set(ValueLayout.JAVA_BYTE, i, (byte) (int) value);
      }
    }

    private double get(MemorySegment from, long i) {
      return switch (this) {
        case F32 -> from.getAtIndex(ValueLayout.JAVA_FLOAT, i);
        case F64 -> from.getAtIndex(ValueLayout.JAVA_DOUBLE, i);
        case BF16 -> Bfloat16.value(from.getAtIndex(ValueLayout.JAVA_SHORT, i));
        case I32 -> from.getAtIndex(ValueLayout.JAVA_INT, i);
        case I64 -> from.getAtIndex(ValueLayout.JAVA_LONG, i);
        case U8 -> from.get(ValueLayout.JAVA_BYTE, i) & 0xff;
      };
    }
  }

  /** What was taken, for the operand of that name; drawn is null where it began otherwise. */
  public record Buffer(
      String name,
      long address,
      int count,
      Element element,
      Type type,
      int bytes,
      Access access,
      Drawn drawn) {}

  private static final int CURSOR = 2;
  private static final double RATE = 0.05;
  // seed, step, update, cursor, rate, the rate in float32, factors of momentum and of decay
  private static final Fill STATE =
      Fill.words(
          11,
          3,
          4,
          CURSOR,
          Double.doubleToRawLongBits(RATE),
          Integer.toUnsignedLong(Float.floatToRawIntBits((float) RATE)),
          Double.doubleToRawLongBits(0.9),
          Double.doubleToRawLongBits(0.5));
  // NaN in every type, and an integer that no kernel writes; as in native/harness
  private static final byte[] POISON = {(byte) 0xf5, (byte) 0xff};

  private final Backend backend;
  private final Precision precision;
  private final Precision rounding;
  private final List<Buffer> buffers = new ArrayList<>();
  private final Map<Long, Long> places = new HashMap<>(); // by the numbers of pointers

  /** Nothing yet, for kernels of a precision. */
  public KernelMemory(Backend backend, Precision precision) {
    this(backend, precision, precision);
  }

  /** Numbers are rounded to another precision before they are stored: wide ones to its wide. */
  public KernelMemory(Backend backend, Precision precision, Precision rounding) {
    this.backend = backend;
    this.precision = precision;
    this.rounding = rounding;
  }

  /** That of the kernels. */
  public Precision precision() {
    return precision;
  }

  /** The call of a case, whose operands are taken where they are not there yet. */
  Arguments place(KernelCase one) {
    boolean cursor =
        one.call().operands().stream()
            .anyMatch(o -> o.element() == Element.STATE && o.address() != 0);
    return one.call()
        .at(
            o -> {
              if (o.address() != 0 && !places.containsKey(o.address())) {
                places.put(o.address(), take(one, o, cursor && o.atCursor() ? CURSOR : 0));
              }
              return o.address() == 0 ? 0 : places.get(o.address());
            });
  }

  private long take(KernelCase one, Operand operand, int more) {
    Element element = one.kernel().element(operand);
    Fill usual =
        switch (element) {
          case STATE -> STATE;
          case UINT8 -> Fill.between(0, 256);
          case INT32 -> Fill.between(0, operand.below() == 0 ? 9 : operand.below());
          default -> Fill.SIGNED;
        };
    boolean blank = operand.access() == Access.OUT;
    Fill fill = one.fills().getOrDefault(operand.name(), blank ? Fill.ZEROS : usual);
    long extent = operand.extent() * (element == Element.STATE ? Element.STATE_WORDS : 1) + more;
    return take(
        operand.name(),
        fill.element() == null ? element : fill.element(),
        operand.access(),
        Math.toIntExact(fill.extent() == 0 ? extent : fill.extent()),
        fill,
        operand.address());
  }

  private long take(String name, Element element, Access access, int count, Fill fill, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    LongToDoubleFunction at =
        fill.at() == null ? i -> random.nextDouble(fill.low(), fill.high()) : fill.at();
    Type type = Type.of(element, precision);
    Type rounded = Type.of(element, rounding);
    int bytes = count * element.bytes(precision);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment content = arena.allocate(bytes, 8);
      for (int i = 0; i < count; i++) {
        type.put(content, i, rounded.round(at.applyAsDouble(i)));
      }
      long address = backend.allocate(bytes);
      backend.copyIn(content, address);
      boolean drawn = fill.at() == null && !type.isWhole();
      Drawn how = drawn ? new Drawn(seed, fill.low(), fill.high()) : null;
      buffers.add(new Buffer(name, address, count, element, type, bytes, access, how));
      return address;
    }
  }

  /** Zeros. */
  public long zeros(int count) {
    return take("x", Element.T, Access.IN, count, Fill.ZEROS, 0);
  }

  /** Numbers from -2 to 2. */
  public long signed(int count, long seed) {
    return take("x", Element.T, Access.IN, count, Fill.SIGNED, seed);
  }

  /** The first numbers of what was taken at an address. */
  public double[] read(long address, int count) {
    Buffer taken = buffers.stream().filter(b -> b.address() == address).findFirst().orElseThrow();
    return Arrays.copyOf(numbers(taken), count);
  }

  double[] numbers(Buffer buffer) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment content = arena.allocate(buffer.bytes(), 8);
      backend.copyOut(buffer.address(), content);
      return IntStream.range(0, buffer.count())
          .mapToDouble(i -> buffer.type().get(content, i))
          .toArray();
    }
  }

  /** The bytes of a buffer. */
  public byte[] raw(Buffer buffer) {
    byte[] content = new byte[buffer.bytes()];
    backend.copyOut(buffer.address(), MemorySegment.ofArray(content));
    return content;
  }

  /** Everything that was taken, in order. */
  public List<Buffer> buffers() {
    return buffers;
  }

  /** Every buffer as numbers, in the order they were taken; states as their words. */
  public List<double[]> contents() {
    return buffers.stream().map(this::numbers).toList();
  }

  /** Makes a buffer hold what no kernel reads without a trace, and none writes. */
  public void poison(Buffer buffer) {
    byte[] poison = new byte[buffer.bytes()];
    for (int i = 0; i < poison.length; i++) {
      poison[i] = POISON[i % 2];
    }
    backend.copyIn(MemorySegment.ofArray(poison), buffer.address());
  }

  /** How many elements of a buffer that was poisoned hold something else. */
  public int written(Buffer buffer) {
    byte[] content = raw(buffer);
    int size = buffer.element().bytes(precision);
    return (int)
        IntStream.range(0, buffer.count())
            .filter(
                i ->
                    IntStream.range(i * size, i * size + size)
                        .anyMatch(b -> content[b] != POISON[b % 2]))
            .count();
  }

  /** Gives everything back. */
  @Override
  public void close() {
    buffers.forEach(buffer -> backend.free(buffer.address()));
    buffers.clear();
    places.clear();
  }

  /**
   * Integers and states must be the same; numbers close. What one kernel leaves to the next in a
   * layout of its own is not looked at.
   *
   * @throws AssertionError where they are not
   */
  public void assertSame(KernelMemory other, String what) {
    for (int b = 0; b < buffers.size(); b++) {
      Buffer mine = buffers.get(b);
      Buffer theirs = other.buffers.get(b);
      String name = format("%s, %s, %s", what, precision, mine.name());
      if (mine.type().isWhole()) {
        if (!Arrays.equals(raw(mine), other.raw(theirs))) {
          throw new AssertionError(name + " differs");
        }
      } else if (mine.element() != Element.OPAQUE) {
        assertClose(numbers(mine), other.numbers(theirs), mine.type(), name);
      }
    }
  }

  private static void assertClose(double[] x, double[] y, Type type, String name) {
    for (int i = 0; i < x.length; i++) {
      boolean same = Double.compare(x[i], y[i]) == 0;
      if (!same && !(Math.abs(x[i] - y[i]) <= type.tolerance(x[i], y[i]))) {
        throw new AssertionError(format("%s at %d: %s and %s", name, i, x[i], y[i]));
      }
    }
  }
}
