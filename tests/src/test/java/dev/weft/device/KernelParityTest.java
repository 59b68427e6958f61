// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.weft.bench.harness.CallMemory;
import dev.weft.bench.harness.KernelCall;
import dev.weft.device.cpu.CpuBackend;
import dev.weft.device.cuda.CudaBackend;
import dev.weft.support.Emulator;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
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
            EnumSet.of(Way.EXACT),
            EnumSet.of(Way.REVERSED),
            EnumSet.of(Way.DEFERRED),
            EnumSet.of(Way.CHECKED),
            EnumSet.allOf(Way.class))
        .flatMap(ways -> Stream.of(Kernel.values()).flatMap(kernel -> both(kernel, ways)));
  }

  private static Stream<Arguments> both(Kernel kernel, Set<Way> ways) {
    return Stream.of(Precision.values())
        .filter(kernel::exists)
        .filter(p -> kernel.kind() != Kernel.Kind.UNTYPED || p == Precision.F32)
        .map(p -> Arguments.argumentSet(kernel.symbol(p) + " " + ways, kernel, p, ways));
  }

  @BeforeAll
  static void open() {
    cuda = new CudaBackend(0);
    cpu = new CpuBackend();
  }

  @AfterAll
  static void close() {
    cuda.close();
    cpu.close();
    assertEquals(0, Emulator.liveBytes(), "device memory after close");
    assertEquals(0, Emulator.leakedObjects(), "streams, modules that the context took along");
  }

  static Stream<Kernel> kernelsInBfloat16() {
    return Stream.of(Kernel.values())
        .filter(k -> k.kind() != Kernel.Kind.UNTYPED && k.exists(Precision.BF16));
  }

  /** The same numbers in float32, and the results rounded: neighbours at most. */
  @ParameterizedTest
  @MethodSource("kernelsInBfloat16")
  void bfloat16AgreesWithFloat(Kernel kernel) {
    for (KernelCall one : KernelCall.of(kernel)) {
      besideFloat(kernel, one, Precision.BF16);
    }
  }

  private static void besideFloat(Kernel kernel, KernelCall one, Precision rounding) {
    CallMemory narrow = new CallMemory(cpu, Precision.BF16);
    CallMemory wide = new CallMemory(cpu, Precision.F32, rounding);
    cpu.run(kernel, Precision.BF16, one.arguments().apply(narrow));
    cpu.run(kernel, Precision.F32, one.arguments().apply(wide));
    narrow.assertSame(wide, kernel + " " + one.label() + " beside float32");
  }

  @Test
  void otherNumbersInFloatWouldBeSeen() {
    for (Kernel kernel : new Kernel[] {Kernel.GEMM, Kernel.REDUCE, Kernel.UNARY_FORWARD}) {
      assertThrows(
          AssertionError.class,
          () -> KernelCall.of(kernel).forEach(one -> besideFloat(kernel, one, Precision.F32)));
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void kernelAgreesWithCpu(Kernel kernel, Precision precision, Set<Way> ways) {
    ways.forEach(Way::set);
    for (KernelCall one : KernelCall.of(kernel)) {
      CallMemory here = new CallMemory(cpu, precision);
      CallMemory there = new CallMemory(cuda, precision);
      cpu.run(kernel, precision, one.arguments().apply(here));
      cuda.run(kernel, precision, one.arguments().apply(there));
      here.assertSame(there, kernel + " " + one.label() + " " + ways);
    }
  }
}
