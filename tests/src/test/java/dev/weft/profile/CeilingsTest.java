// SPDX-License-Identifier: Apache-2.0
package dev.weft.profile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.support.Emulator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What is measured for the ceilings finds room beside what is on the device already. */
@ExtendWith(Emulator.class)
class CeilingsTest {
  @Test
  void sizesForWhichThereIsNoMemoryAreLeftOut() {
    sizes(4L << 30, List.of(4L << 20, 32L << 20, 256L << 20), List.of(1024, 4096));
    sizes(512L << 20, List.of(4L << 20, 32L << 20), List.of(1024));
    sizes(48L << 20, List.of(4L << 20), List.of(1024));
  }

  private static void sizes(long memory, List<Long> copies, List<Integer> products) {
    Emulator.totalMemory(memory);
    try (Device gpu = Device.cuda()) {
      Ceilings ceilings = new Ceilings(gpu, 1e-3);
      assertEquals(copies, ceilings.copySizes());
      assertEquals(products, ceilings.productSizes());
      if (copies.size() == 1) {
        assertTrue(ceilings.copy().value() > 0);
        assertEquals(0, gpu.memory().live());
      }
    }
  }
}
