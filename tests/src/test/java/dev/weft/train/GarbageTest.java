// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.weft.Device;
import dev.weft.data.BatchOrder;
import dev.weft.data.Digits;
import dev.weft.data.LastBatch;
import dev.weft.nn.Activation;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.support.Emulator;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a replayed step leaves on Java's heap: nothing. */
@ExtendWith(Emulator.class)
class GarbageTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int STEPS = 2_000;

  private static long allocated(Runnable body) {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    body.run();
    return THREADS.getCurrentThreadAllocatedBytes() - before;
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu", "cuda"})
  void aReplayedStepAllocatesNothing(String name) {
    try (Device device = name.equals("cpu") ? Device.cpu() : Emulator.device();
        Sequential network =
            Sequential.of(new Linear(784, 16), Activation.RELU, new Linear(16, 10));
        TrainingRun run =
            Trainer.of(network).on(device).batch(1).start(Digits.generate(5 * STEPS, 1).train())) {
      if (name.equals("cuda")) {
        Emulator.doNothing();
      }
      steps(run);
      // all within the first epoch: a new one begins with a new order of examples. Java itself may
      // allocate once, when it links or compiles; a step that did would do so every time
      long least = Long.MAX_VALUE;
      for (int i = 0; i < 3; i++) {
        least = Math.min(least, allocated(() -> steps(run)));
      }
      long bytes = least;
      // the smallest object has 16 bytes
      assertTrue(bytes < STEPS, () -> bytes + " bytes in " + STEPS + " steps");
    }
  }

  private static void steps(TrainingRun run) {
    for (int i = 0; i < STEPS; i++) {
      run.step();
    }
  }

  @Test
  void anOrderOfExamplesIsWrittenWithoutGarbage() {
    int rows = 100_000;
    BatchOrder order = new BatchOrder(rows, 100, LastBatch.KEEP, 1);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(4L * rows, 64);
      order.epoch(0, memory);
      long bytes = allocated(() -> order.epoch(1, memory));
      assertTrue(bytes < rows, () -> bytes + " bytes for " + rows + " rows");
    }
  }

  @Test
  void garbageIsSeen() {
    long bytes = allocated(() -> new BatchOrder(1000, 10, LastBatch.DROP, 1).epoch(0));
    assertTrue(bytes > 0, () -> bytes + " bytes");
  }
}
