// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static dev.weft.format.Format.format;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.bench.kernel.Fill;
import dev.weft.bench.kernel.KernelCase;
import dev.weft.bench.kernel.KernelCases;
import dev.weft.bench.kernel.KernelMemory;
import dev.weft.device.cpu.CpuBackend;
import dev.weft.device.cuda.CudaBackend;
import dev.weft.device.cuda.CudaException;
import dev.weft.support.Emulator;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every kernel beside the CPU, as a GPU would run it and in the ways of the emulator that make a
 * missing barrier, a missing wait or a step past the end show.
 */
@ExtendWith(Emulator.class)
class KernelParityTest {

  /** A way to run kernels that CUDA allows, too. */
  enum Way {
    EXACT,
    REVERSED,
    DEFERRED,
    CHECKED;

    void set() {
      switch (this) {
        case EXACT -> Emulator.exact();
        case REVERSED -> Emulator.reverse();
        case DEFERRED -> Emulator.deferred();
        case CHECKED -> Emulator.check();
      }
    }
  }

  private static CudaBackend cuda;
  private static CpuBackend cpu;

  static Stream<Arguments> kernels() {
    return Stream.of(
            EnumSet.noneOf(Way.class),
            EnumSet.of(Way.EXACT, Way.REVERSED, Way.DEFERRED),
            EnumSet.of(Way.CHECKED),
            EnumSet.allOf(Way.class))
        .flatMap(
            ways ->
                Stream.of(Kernel.values())
                    // slow, and the harness runs them in the other ways
                    .filter(kernel -> !isFused(kernel) || ways.equals(EnumSet.of(Way.CHECKED)))
                    .flatMap(kernel -> both(kernel, ways)));
  }

  private static boolean isFused(Kernel kernel) {
    return kernel == Kernel.FUSED_PASS || kernel == Kernel.FUSED_UPDATE;
  }

  private static Stream<Arguments> both(Kernel kernel, Set<Way> ways) {
    return kernel.precisions().stream()
        .map(p -> Arguments.argumentSet(kernel.symbol(p) + " " + ways, kernel, p, ways));
  }

  @BeforeAll
  static void open() {
    cuda = new CudaBackend(0);
    cpu = new CpuBackend(0);
  }

  @AfterAll
  static void close() {
    cuda.close();
    cpu.close();
    assertEquals(0, Emulator.liveBytes(), "device memory after close");
    assertEquals(0, Emulator.leakedObjects(), "streams, modules that the context took along");
  }

  static Stream<Kernel> kernelsInBfloat16() {
    return Stream.of(Kernel.values()).filter(k -> k.precisions().contains(Precision.BF16));
  }

  /** The same numbers in float32, and the results rounded: neighbours at most. */
  @ParameterizedTest
  @MethodSource("kernelsInBfloat16")
  void bfloat16AgreesWithFloat(Kernel kernel) {
    for (KernelCase one : KernelCases.of(kernel)) {
      besideFloat(kernel, one, Precision.BF16);
    }
  }

  private static void besideFloat(Kernel kernel, KernelCase one, Precision rounding) {
    KernelMemory narrow = new KernelMemory(cpu, Precision.BF16);
    KernelMemory wide = new KernelMemory(cpu, Precision.F32, rounding);
    one.run(cpu, narrow);
    one.run(cpu, wide);
    narrow.assertSame(wide, kernel + " " + one.name() + " beside float32");
  }

  @Test
  void otherNumbersInFloatWouldBeSeen() {
    for (Kernel kernel : new Kernel[] {Kernel.GEMM, Kernel.REDUCE, Kernel.UNARY_FORWARD}) {
      assertThrows(
          AssertionError.class,
          () -> KernelCases.of(kernel).forEach(one -> besideFloat(kernel, one, Precision.F32)));
    }
  }

  /** Over memory of exactly the extents of the contract, all of which an output's are written. */
  @ParameterizedTest
  @MethodSource("kernels")
  void kernelAgreesWithCpu(Kernel kernel, Precision precision, Set<Way> ways) {
    ways.forEach(Way::set);
    KernelCases.of(kernel).forEach(one -> besideCpu(one, precision, one.name() + " " + ways));
  }

  /** One more step and update, so many rows further, and the rate of that update. */
  @Test
  void aFusedUpdateEndsTheStep() {
    for (KernelCase one : KernelCases.of(Kernel.FUSED_UPDATE)) {
      try (KernelMemory memory = new KernelMemory(cpu, Precision.F32)) {
        one.calls(memory);
        LongBuffer before = words(memory, "state");
        one.run(cpu, memory);
        LongBuffer state = words(memory, "state");
        LongBuffer rates = words(memory, "rates");
        double rate = Double.longBitsToDouble(state.get(4));
        assertEquals(before.get(0), state.get(0));
        assertEquals(before.get(1) + 1, state.get(1));
        assertEquals(before.get(2) + 1, state.get(2));
        assertEquals(before.get(3) + one.sizes().rows(), state.get(3));
        int next = 3 * (int) (state.get(2) % (rates.limit() / 3));
        assertEquals(rates.get(next), state.get(4));
        assertEquals(rates.get(next + 1), state.get(6));
        assertEquals(rates.get(next + 2), state.get(7));
        assertEquals((float) rate, Float.intBitsToFloat((int) state.get(5)));
      }
    }
  }

  private static LongBuffer words(KernelMemory memory, String name) {
    KernelMemory.Buffer buffer =
        memory.buffers().stream().filter(b -> b.name().equals(name)).findFirst().orElseThrow();
    return ByteBuffer.wrap(memory.raw(buffer)).order(ByteOrder.nativeOrder()).asLongBuffer();
  }

  private static void besideCpu(KernelCase one, Precision precision, String what) {
    try (KernelMemory here = new KernelMemory(cpu, precision);
        KernelMemory there = new KernelMemory(cuda, precision)) {
      runPoisoned(one, cpu, here);
      runPoisoned(one, cuda, there);
      here.assertSame(there, one.kernel() + " " + what);
    }
  }

  private static void runPoisoned(KernelCase one, Backend backend, KernelMemory memory) {
    List<Call> calls = one.calls(memory);
    String symbol = one.kernel().symbol(memory.precision());
    List<KernelMemory.Buffer> outputs =
        memory.buffers().stream()
            .filter(b -> b.access() == Access.OUT && b.element() != Element.OPAQUE)
            .toList();
    outputs.forEach(memory::poison);
    try {
      calls.forEach(c -> backend.run(c.kernel(), c.precision(), c.arguments()));
      backend.synchronize();
    } catch (CudaException e) {
      String said = Emulator.lastError();
      throw new AssertionError(
          format("%s, %s: %s: %s", symbol, one.name(), nearest(memory, said), said), e);
    }
    for (KernelMemory.Buffer output : outputs) {
      int written = memory.written(output);
      if (written != output.count()) {
        throw new AssertionError(
            format(
                "%s: %s has %d elements by native/abi, and %d of them were written",
                symbol, output.name(), output.count(), written));
      }
    }
  }

  /** The operand in or behind which the access that a sentence tells of lies. */
  private static String nearest(KernelMemory memory, String said) {
    Matcher at = Pattern.compile("bytes at 0x([0-9a-f]+)").matcher(said);
    long place = at.find() ? Long.parseUnsignedLong(at.group(1), 16) : 0;
    return memory.buffers().stream()
        .filter(b -> b.address() <= place)
        .max(Comparator.comparingLong(KernelMemory.Buffer::address))
        .map(KernelMemory.Buffer::name)
        .orElse("");
  }

  private static KernelCase reduction() {
    return KernelCases.of(Kernel.REDUCE).getFirst();
  }

  /** One element more of an output than the kernel writes. */
  @Test
  void anExtentThatIsTooLargeIsFound() {
    KernelCase more = reduction().with("y", Fill.each(i -> 0).as(Element.WIDE, 67));
    AssertionError e =
        assertThrows(AssertionError.class, () -> besideCpu(more, Precision.F32, "more"));
    assertEquals(
        "reduce_f32: y has 67 elements by native/abi, and 66 of them were written", e.getMessage());
  }

  /** One element less of an operand than the kernel touches. */
  @ParameterizedTest
  @CsvSource({"x, 230", "y, 65"})
  void anExtentThatIsTooSmallIsFound(String operand, int elements) {
    Emulator.check();
    Element element = operand.equals("x") ? Element.T : Element.WIDE;
    KernelCase less = reduction().with(operand, Fill.each(i -> 0).as(element, elements));
    try (KernelMemory there = new KernelMemory(cuda, Precision.F32)) {
      AssertionError e = assertThrows(AssertionError.class, () -> runPoisoned(less, cuda, there));
      assertTrue(e.getMessage().startsWith("reduce_f32, "), e.getMessage());
      assertTrue(e.getMessage().contains(": " + operand + ": "), e.getMessage());
    }
  }
}
