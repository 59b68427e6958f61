// SPDX-License-Identifier: Apache-2.0
package dev.weft.profile;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.DeviceKind;
import dev.weft.Engine;
import dev.weft.MathMode;
import dev.weft.RecordedProgram;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Cost;
import dev.weft.device.Kernel;
import dev.weft.device.Precision;
import dev.weft.device.UnaryFunction;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * How fast a device is at best: bytes copied, by the size of what is copied, and products of square
 * matrices, by the math mode; both by Weft's own kernels. Each is measured when it is first asked
 * for and kept; the device must be idle then.
 */
public final class Ceilings {
  private static final double NANOSECONDS = 1e9;
  private static final int MEASUREMENTS = 5;
  private static final double USUAL_SECONDS = 0.3;

  /** Rates that differ by a smaller share are those of one cache. */
  private static final double SAME_RATE = 0.1;

  /** What a measurement leaves to others: it takes at most one part of so many of what is free. */
  private static final long PARTS_OF_FREE = 4;

  private final @Nullable Device device; // null where the ceilings were given
  private final double seconds;
  private final Map<MathMode, Double> products = new EnumMap<>(MathMode.class);
  private final TreeMap<Long, Double> copies = new TreeMap<>();

  /**
   * What was measured.
   *
   * @param name such as {@code gemm strict 1024}
   * @param value in units of {@code unit}
   */
  public record Ceiling(String name, double value, String unit) {}

  /** Ceilings that are worth keeping: 0.3 seconds for each measurement. */
  public Ceilings(Device device) {
    this(device, USUAL_SECONDS);
  }

  /**
   * The ceilings of a device.
   *
   * @param seconds of one measurement; each ceiling is the best of five
   */
  public Ceilings(Device device, double seconds) {
    this.device = device;
    this.seconds = seconds;
  }

  private Ceilings() {
    this.device = null;
    this.seconds = 0;
  }

  /**
   * Ceilings that are known already.
   *
   * @param copies bytes read and written a second, by the bytes of a copy; at least one
   * @param products floating-point operations a second
   */
  public static Ceilings of(Map<Long, Double> copies, Map<MathMode, Double> products) {
    if (copies.isEmpty()) {
      throw new IllegalArgumentException("ceilings need at least one copy");
    }
    Ceilings known = new Ceilings();
    known.copies.putAll(copies);
    known.products.putAll(products);
    return known;
  }

  private Device device() {
    if (device == null) {
      throw new IllegalStateException("ceilings that were given have no device to measure");
    }
    return device;
  }

  private boolean cpu() {
    return device().kind() == DeviceKind.CPU;
  }

  /**
   * Bytes read and written by one copy, for sizes that lie in other caches or in none; those for
   * which there is memory now.
   */
  public List<Long> copySizes() {
    return cpu()
        ? List.of(256L << 10, 2L << 20, 16L << 20, 256L << 20)
        : fitting(List.of(4L << 20, 32L << 20, 256L << 20, 2L << 30), bytes -> bytes);
  }

  /** Rows and columns of the matrices that are multiplied; those for which there is memory now. */
  public List<Integer> productSizes() {
    return cpu()
        ? List.of(512, 1024, 2048)
        : fitting(List.of(1024, 4096, 8192), n -> 3L * n * n * Double.BYTES);
  }

  /** The sizes that take a modest part of the free memory, at least the smallest. */
  private <S> List<S> fitting(List<S> sizes, ToLongFunction<S> bytes) {
    long room = device().freeMemory() / PARTS_OF_FREE;
    return sizes.stream()
        .filter(size -> size.equals(sizes.getFirst()) || bytes.applyAsLong(size) <= room)
        .toList();
  }

  /** The largest copy, which no cache holds where there is memory for it. */
  public Ceiling copy() {
    return copy(copySizes().getLast());
  }

  /** A copy that reads and writes so many bytes together. */
  public Ceiling copy(long bytes) {
    long elements = bytes / 2 / Float.BYTES;
    try (Tensor x = device().zeros(DType.F32, Shape.of(elements));
        Tensor y = device().zeros(DType.F32, Shape.of(elements))) {
      var arguments =
          new Arguments.UnaryForward(
              Engine.address(x), Engine.address(y), elements, UnaryFunction.SCALE, 0.5);
      double rate =
          Cost.of(Kernel.UNARY_FORWARD, Precision.F32, arguments).bytes()
              / seconds(Kernel.UNARY_FORWARD, Precision.F32, arguments);
      return new Ceiling("copy " + size(bytes), rate / 1e9, "GB/s");
    }
  }

  private static String size(long bytes) {
    return bytes < 1 << 20 ? (bytes >> 10) + " KiB" : (bytes >> 20) + " MiB";
  }

  /** A product of two square matrices: multiplications and additions in a second. */
  public Ceiling gemm(MathMode math, int size) {
    Precision precision = math.dtype().precision();
    long n = size;
    try (Tensor a = operand(precision, n * n, 0);
        Tensor b = operand(precision, n * n, 1);
        Tensor c = operand(precision, n * n, 2)) {
      var arguments =
          new Arguments.Gemm(
              Engine.address(a),
              Engine.address(b),
              Engine.address(c),
              n,
              n,
              n,
              n,
              n,
              n,
              false,
              false,
              1,
              0,
              math == MathMode.FAST,
              false,
              1,
              0,
              0,
              0);
      double rate =
          Cost.of(Kernel.GEMM, precision, arguments).flops()
              / seconds(Kernel.GEMM, precision, arguments);
      String name = math.name().toLowerCase(ROOT);
      return new Ceiling(format("gemm %s %d", name, size), rate / 1e9, "GFLOP/s");
    }
  }

  /** Uniform values: a machine that multiplies equal ones draws less power and may run faster. */
  private Tensor operand(Precision precision, long n, long draw) {
    DType wide = precision == Precision.F64 ? DType.F64 : DType.F32;
    Tensor values = device().allocate(wide, Shape.of(n));
    var uniform = new Arguments.Random(Engine.address(values), n, 1, 0, draw, -1, 1);
    Engine.run(device(), Kernel.RANDOM_UNIFORM, wide.precision(), uniform);
    if (precision != Precision.BF16) {
      return values;
    }
    try (values) {
      Tensor rounded = device().allocate(DType.U8, Shape.of(n * precision.bytes()));
      var cast = new Arguments.Cast(Engine.address(values), Engine.address(rounded), n, false);
      Engine.run(device(), Kernel.F32_TO_BF16, Precision.F32, cast);
      return rounded;
    }
  }

  /** The shortest time of a call, each measurement long enough for the clock. */
  private double seconds(Kernel kernel, Precision precision, Arguments arguments) {
    try (RecordedProgram one =
        Engine.record(device(), () -> Engine.run(device(), kernel, precision, arguments))) {
      double once = Math.min(time(one, 1), time(one, 1));
      int count = (int) Math.clamp(seconds / once, 1, 10_000);
      double best = once;
      for (int i = 0; i < MEASUREMENTS; i++) {
        best = Math.min(best, time(one, count));
      }
      return best;
    }
  }

  private double time(RecordedProgram program, int count) {
    device().synchronize();
    long start = System.nanoTime();
    for (int i = 0; i < count; i++) {
      program.run();
    }
    device().synchronize();
    return (System.nanoTime() - start) / NANOSECONDS / count;
  }

  /**
   * Bytes a second that a call which moves so many bytes could reach: those of copies of that size,
   * between the measured sizes by the logarithm of the size.
   */
  public double bytesPerSecond(long bytes) {
    if (copies.isEmpty()) {
      copySizes().forEach(size -> copies.put(size, copy(size).value() * 1e9));
    }
    long wanted = Math.clamp(bytes, copies.firstKey(), copies.lastKey());
    Map.Entry<Long, Double> below = copies.floorEntry(wanted);
    Map.Entry<Long, Double> above = copies.ceilingEntry(wanted);
    if (below.getKey().equals(above.getKey())) {
      return below.getValue();
    }
    double place =
        Math.log((double) wanted / below.getKey())
            / Math.log((double) above.getKey() / below.getKey());
    return below.getValue() + place * (above.getValue() - below.getValue());
  }

  /** Why a call that moves so many bytes can be faster than {@link #bytesPerSecond}. */
  Profile.Above above(long bytes) {
    double here = bytesPerSecond(bytes);
    if (bytes < copies.firstKey()) {
      return Profile.Above.SMALL;
    }
    Map.Entry<Long, Double> below = copies.floorEntry(bytes);
    Map.Entry<Long, Double> above = copies.ceilingEntry(bytes);
    return above != null && below.getValue() > here * (1 + SAME_RATE)
        ? Profile.Above.BETWEEN
        : Profile.Above.OTHER;
  }

  /**
   * Measures what was measured before once more and keeps the better rates: other work on the
   * machine makes a ceiling too low, and never too high. Ceilings that were given stay.
   */
  public void measureAgain() {
    if (device == null) {
      return;
    }
    copies.replaceAll((bytes, rate) -> Math.max(rate, copy(bytes).value() * 1e9));
    products.replaceAll((math, rate) -> Math.max(rate, best(math)));
  }

  private double best(MathMode math) {
    return productSizes().stream().mapToDouble(n -> gemm(math, n).value()).max().orElseThrow()
        * 1e9;
  }

  /**
   * Floating-point operations a second of the best product.
   *
   * @throws IllegalArgumentException where it is not among those that were given
   */
  public double flopsPerSecond(MathMode math) {
    if (device == null && !products.containsKey(math)) {
      throw new IllegalArgumentException("no ceiling is known for products in " + math);
    }
    return products.computeIfAbsent(math, this::best);
  }

  /** Every ceiling of copies and of products in the given modes, as measured now. */
  public List<Ceiling> all(MathMode... modes) {
    List<Ceiling> found = new ArrayList<>();
    copySizes().forEach(size -> found.add(copy(size)));
    for (MathMode math : modes) {
      productSizes().forEach(size -> found.add(gemm(math, size)));
    }
    return found;
  }
}
