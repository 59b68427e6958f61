// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static dev.weft.format.Format.format;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weft.bench.kernel.KernelMemory;
import dev.weft.device.cpu.CpuBackend;
import dev.weft.device.cpu.CpuLibrary;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A product has the same bits on one thread and on several, each of which has a block of it. */
class ProductBlocksTest {
  private static final int[] THREADS = {1, 2, 3, 7};

  /** (m, n, k) that networks have, and those at the edges of what oneDNN does in another way. */
  private static final long[][] SHAPES = {
    {1, 512, 784},
    {512, 1, 784},
    {1, 1, 1000},
    {1, 5000, 7},
    {5000, 1, 7},
    {2000, 1, 1000},
    {64, 10, 100},
    {300, 10, 1000},
    {128, 512, 784},
    {784, 512, 128},
    {700, 700, 1300},
    {97, 131, 1},
    {1, 97, 1},
    {97, 1, 1},
    {333, 77, 1000},
    {40, 999, 64},
    {800, 100, 50},
    {769, 67, 129},
    {17, 2049, 33},
    {2049, 17, 33},
    {9, 9, 3000},
    {24, 33, 5000}
  };

  private static final double[][] SCALES = {{1, 0}, {1, 1}, {-0.7, 0}, {1.3, 0.6}};

  @AfterEach
  void leaveTheThreadsAlone() {
    CpuLibrary.get().disturb(0);
  }

  /** A call whose addresses are 1, 2 and 3. */
  private record Case(Precision precision, Arguments.Gemm call) {

    /** more: what the row strides are above the least; option: fast, or a wide result. */
    static Case of(Precision precision, long[] shape, int more, SplittableRandom random) {
      boolean ta = random.nextBoolean();
      boolean tb = random.nextBoolean();
      boolean option = random.nextBoolean();
      double[] scale = SCALES[random.nextInt(SCALES.length)];
      long m = shape[0];
      long n = shape[1];
      long k = shape[2];
      return new Case(
          precision,
          new Arguments.Gemm(
              1,
              2,
              3,
              m,
              n,
              k,
              (ta ? m : k) + more,
              (tb ? k : n) + more / 2,
              n + more / 3,
              ta,
              tb,
              scale[0],
              scale[1],
              option && precision == Precision.F32,
              option && precision == Precision.BF16,
              1,
              0,
              0,
              0));
    }

    static Case drawn(SplittableRandom random) {
      Precision[] precisions = Precision.values();
      return of(
          precisions[random.nextInt(precisions.length)],
          new long[] {size(random, 900), size(random, 900), size(random, 4000)},
          random.nextBoolean() ? 0 : random.nextInt(40),
          random);
    }

    /** Small ones more often. */
    private static long size(SplittableRandom random, int most) {
      return Math.round(Math.exp(random.nextDouble(0, Math.log(most))));
    }

    /** A small one. */
    static Case scaled(double alpha) {
      return new Case(
          Precision.F32,
          new Arguments.Gemm(
              1, 2, 3, 30, 40, 50, 50, 40, 40, false, false, alpha, 0, false, false, 1, 0, 0, 0));
    }

    void run(CpuBackend backend, long[] addresses) {
      backend.run(Kernel.GEMM, precision, call.at(o -> addresses[(int) o.address() - 1]));
    }
  }

  /** Backends of so many threads each; memory is the process's, and each reads the first one's. */
  private static List<CpuBackend> backends(int... threads) {
    return IntStream.of(threads).mapToObj(CpuBackend::new).toList();
  }

  /** Where the results of later backends are not those of the first, in words. */
  private static List<String> differences(List<CpuBackend> backends, Case one, Case later) {
    List<String> found = new ArrayList<>();
    Precision result = one.call().cWide() ? one.precision().wide() : one.precision();
    try (KernelMemory operands = new KernelMemory(backends.getFirst(), one.precision());
        KernelMemory results = new KernelMemory(backends.getFirst(), result)) {
      long[] addresses =
          one.call().operands().stream()
              .mapToLong(
                  o ->
                      (o.name().equals("c") ? results : operands)
                          .signed((int) o.extent(), o.address()))
              .toArray();
      KernelMemory.Buffer c = results.buffers().getFirst();
      byte[] before = results.raw(c);
      one.run(backends.getFirst(), addresses);
      byte[] expected = results.raw(c);
      double[] numbers = results.contents().getFirst();
      for (CpuBackend backend : backends.subList(1, backends.size())) {
        backend.copyIn(MemorySegment.ofArray(before), c.address());
        later.run(backend, addresses);
        if (!Arrays.equals(expected, results.raw(c))) {
          String what = difference(one.call(), numbers, results.contents().getFirst());
          found.add(format("%s, %s: %s", later, backend.description(), what));
        }
      }
    }
    return found;
  }

  private static String difference(Arguments.Gemm g, double[] expected, double[] actual) {
    int[] differ =
        IntStream.range(0, expected.length)
            .filter(i -> Double.compare(expected[i], actual[i]) != 0)
            .toArray();
    int first = differ[0];
    int last = differ[differ.length - 1];
    double worst =
        IntStream.of(differ)
            .mapToDouble(i -> Math.abs(expected[i] - actual[i]))
            .max()
            .getAsDouble();
    return format(
        "%d of %d differ, by %.3g at most, from [%d, %d] (%s and %s) to [%d, %d]",
        differ.length,
        g.m() * g.n(),
        worst,
        first / g.ldc(),
        first % g.ldc(),
        expected[first],
        actual[first],
        last / g.ldc(),
        last % g.ldc());
  }

  /** Undisturbed, large products alone are cut; disturbed, all are. */
  private static void assertSameBits(List<Case> cases, int... threads) {
    List<CpuBackend> backends = backends(threads);
    try {
      List<String> found = new ArrayList<>();
      for (Case one : cases) {
        for (long seed : new long[] {0, 5}) {
          CpuLibrary.get().disturb(seed);
          found.addAll(differences(backends, one, one));
        }
      }
      assertEquals("", String.join("\n", found));
    } finally {
      backends.forEach(CpuBackend::close);
    }
  }

  @Test
  void chosenShapesHaveTheSameBits() {
    SplittableRandom random = new SplittableRandom(1);
    List<Case> cases = new ArrayList<>();
    for (long[] shape : SHAPES) {
      for (Precision precision : Precision.values()) {
        cases.add(Case.of(precision, shape, 0, random));
        cases.add(Case.of(precision, shape, 17, random));
      }
    }
    assertSameBits(cases, THREADS);
  }

  @Test
  void drawnShapesHaveTheSameBits() {
    draw(40, 42, THREADS);
  }

  @Test
  @Tag("long")
  void manyDrawnShapesHaveTheSameBits() {
    long seed = System.nanoTime();
    for (int i = 0; i < 20; i++) {
      draw(200, seed + i, 1, 2, 3, 4, 5, 7, 12, 16);
    }
  }

  private static void draw(int cases, long seed, int... threads) {
    System.out.println("products drawn from " + seed);
    SplittableRandom random = new SplittableRandom(seed);
    assertSameBits(IntStream.range(0, cases).mapToObj(i -> Case.drawn(random)).toList(), threads);
  }

  @Test
  void otherBitsWouldBeSeen() {
    List<CpuBackend> backends = List.of(new CpuBackend(1), new CpuBackend(2));
    try {
      Case right = Case.scaled(1);
      assertEquals(List.of(), differences(backends, right, right));
      assertEquals(1, differences(backends, right, Case.scaled(Math.nextUp(1f))).size());
    } finally {
      backends.forEach(CpuBackend::close);
    }
  }
}
