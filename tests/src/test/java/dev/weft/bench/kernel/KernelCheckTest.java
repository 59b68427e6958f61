// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.Shape;
import dev.weft.device.Kernel;
import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class KernelCheckTest {
  /**
   * Products are timed among the ceilings, fused steps as steps; a step's end is next to nothing.
   */
  private static final Set<Kernel> NOT_HERE =
      EnumSet.of(Kernel.GEMM, Kernel.FUSED_PASS, Kernel.FUSED_UPDATE, Kernel.ADVANCE_STEP);

  @Test
  void everyKernelIsTimed() {
    Set<Kernel> timed = EnumSet.copyOf(NOT_HERE);
    for (KernelCase one : KernelCase.values()) {
      timed.add(one.kernel());
    }
    assertEquals(EnumSet.allOf(Kernel.class), timed, "a new kernel needs a KernelCase");
  }

  @ParameterizedTest
  @EnumSource
  void whatIsTimedIsRight(KernelCase kernel) {
    try (Device device = Device.cpu()) {
      KernelCheck.run(kernel, device);
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatIsTimedIsCounted(KernelCase kernel) {
    assertTrue(kernel.cost(KernelSize.MEMORY).bytes() > 0);
  }

  @ParameterizedTest
  @EnumSource(names = {"RELU_FORWARD", "ADAM", "TRANSPOSE", "SUM_OF_COLUMNS", "FROM_BF16"})
  void aWrongElementIsFound(KernelCase kernel) {
    try (Device device = Device.cpu();
        KernelMemory memory = new KernelMemory(device, KernelSize.ODD)) {
      Runnable wrong =
          () -> {
            kernel.run(device, memory);
            float[] one = {1000};
            for (int i = 0; i < KernelMemory.MATRICES; i++) {
              memory.matrix(i).view(7, Shape.of(1)).copyFrom(MemorySegment.ofArray(one));
            }
          };
      IllegalStateException e =
          assertThrows(
              IllegalStateException.class, () -> KernelCheck.run(kernel, memory, device, wrong));
      assertTrue(e.getMessage().contains(kernel.toString()), e.getMessage());
    }
  }
}
