// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.weft.device.Element;
import dev.weft.device.Kernel;
import dev.weft.device.Precision;
import dev.weft.device.cpu.CpuBackend;
import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class KernelCheckTest {
  /**
   * Products are timed among the ceilings, fused steps as steps; a step's end is next to nothing;
   * word vectors are timed by words.
   */
  private static final Set<Kernel> NOT_HERE =
      EnumSet.of(
          Kernel.GEMM,
          Kernel.FUSED_PASS,
          Kernel.FUSED_UPDATE,
          Kernel.ADVANCE_STEP,
          Kernel.WORD2VEC);

  static Stream<Arguments> timed() {
    return Stream.of(KernelSize.MEMORY, KernelSize.EMBEDDING)
        .flatMap(size -> size.timed().stream().map(one -> arguments(size, one.name())));
  }

  @Test
  void everyKernelIsTimed() {
    Set<Kernel> timed = EnumSet.copyOf(NOT_HERE);
    KernelSize.MEMORY.timed().forEach(one -> timed.add(one.kernel()));
    assertEquals(EnumSet.allOf(Kernel.class), timed);
  }

  /** {@code --only} and JMH find a case by its name. */
  @ParameterizedTest
  @EnumSource
  void namesAreDifferent(KernelSize size) {
    List<KernelCase> timed = size.timed();
    Set<String> names = timed.stream().map(KernelCase::name).collect(Collectors.toSet());
    assertEquals(timed.size(), names.size(), timed::toString);
    assertTrue(names.contains(KernelSize.COPY), "shares are of it");
  }

  /** As many rows as the ids take, but from all over the table: no copy of what lies together. */
  @Test
  void theCopyOfAnEmbeddingIsOfRowsApart() {
    KernelCase copy = KernelSize.EMBEDDING.timed(KernelSize.COPY);
    assertEquals(
        new dev.weft.device.Arguments.CopyRows(1, 2, 8192, 128, 7 * 128, 128, 1, false),
        copy.call());
    assertEquals(2 * 8192 * 128 * 4, copy.cost().bytes());
  }

  @ParameterizedTest
  @MethodSource("timed")
  void whatIsTimedIsRight(KernelSize size, String name) {
    try (CpuBackend cpu = new CpuBackend(0)) {
      KernelCheck.run(size, name, cpu);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"relu_forward", "adam", "transpose", "sum_of_columns", "from_bf16"})
  void aWrongElementIsFound(String name) {
    KernelCase one = KernelSize.ODD.timed(name);
    try (CpuBackend cpu = new CpuBackend(0);
        KernelMemory memory = new KernelMemory(cpu, Precision.F32)) {
      Runnable wrong =
          () -> {
            one.run(cpu, memory);
            for (KernelMemory.Buffer buffer : memory.buffers()) {
              if (buffer.element() == Element.T || buffer.element() == Element.F32) {
                float[] number = {1000};
                cpu.copyIn(MemorySegment.ofArray(number), buffer.address() + 7 * Float.BYTES);
              }
            }
          };
      IllegalStateException e =
          assertThrows(IllegalStateException.class, () -> KernelCheck.run(one, cpu, memory, wrong));
      assertTrue(e.getMessage().contains(name), e.getMessage());
    }
  }
}
