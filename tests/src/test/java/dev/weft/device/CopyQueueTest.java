// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.weft.device.cpu.CpuBackend;
import dev.weft.device.cuda.CudaBackend;
import dev.weft.support.Emulator;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Copies beside the kernels, under an emulator that puts off whatever nobody waits for. */
@ExtendWith(Emulator.class)
class CopyQueueTest {
  private static final int BLOCKS = 6;
  private static final int COUNT = 8;
  private static final long BYTES = COUNT * 4L;

  /** What orders the queue of copies, the kernels and the host. */
  private enum Order {
    AWAIT,
    USE,
    USED
  }

  @AfterEach
  void nothingIsLeft() {
    assertEquals(0, Emulator.liveBytes());
    assertEquals(0, Emulator.liveEvents());
    assertEquals(0, Emulator.liveStreams());
    assertEquals(0, Emulator.leakedObjects());
  }

  /** Sends blocks of 1s, 2s, ... through two halves and collects what a kernel reads of each. */
  private static float[] stream(Backend device, Set<Order> ordered) {
    long halves = device.allocate(2 * BYTES);
    long results = device.allocate(BLOCKS * BYTES);
    try (CopyQueue queue = device.copyQueue(2)) {
      MemorySegment[] host = {queue.hostMemory(BYTES), queue.hostMemory(BYTES)};
      for (int block = 0; block < BLOCKS; block++) {
        int half = block % 2;
        if (ordered.contains(Order.AWAIT)) {
          queue.await(half);
        }
        for (int i = 0; i < COUNT; i++) {
          host[half].setAtIndex(ValueLayout.JAVA_FLOAT, i, block + 1);
        }
        queue.copyIn(half, host[half], halves + half * BYTES);
        if (ordered.contains(Order.USE)) {
          queue.use(half);
        }
        Arguments copy =
            new Arguments.CopyRows(
                halves + half * BYTES, results + block * BYTES, 1, COUNT, COUNT, COUNT, 1, false);
        device.run(Kernel.COPY_ROWS, Precision.F32, copy);
        if (ordered.contains(Order.USED)) {
          queue.used(half);
        }
      }
      MemorySegment read = MemorySegment.ofArray(new float[BLOCKS * COUNT]);
      device.copyOut(results, read);
      float[] first = new float[BLOCKS];
      for (int block = 0; block < BLOCKS; block++) {
        first[block] = read.getAtIndex(ValueLayout.JAVA_FLOAT, (long) block * COUNT);
      }
      return first;
    } finally {
      device.free(halves);
      device.free(results);
    }
  }

  private static final float[] RIGHT = {1, 2, 3, 4, 5, 6};

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void kernelsReadEachBlock(boolean deferred) {
    try (Backend cuda = new CudaBackend(0);
        Backend cpu = new CpuBackend(0)) {
      if (deferred) {
        Emulator.deferred();
      }
      assertArrayEquals(RIGHT, stream(cuda, EnumSet.allOf(Order.class)));
      assertArrayEquals(RIGHT, stream(cpu, EnumSet.allOf(Order.class)));
    }
  }

  /** Each of the three kinds of order is needed: without it the results are wrong. */
  @ParameterizedTest
  @ValueSource(strings = {"AWAIT", "USE", "USED"})
  void missingOrderWouldBeSeen(String missing) {
    try (Backend cuda = new CudaBackend(0)) {
      Emulator.deferred();
      float[] read = stream(cuda, EnumSet.complementOf(EnumSet.of(Order.valueOf(missing))));
      boolean same = java.util.Arrays.equals(RIGHT, read);
      assertEquals(false, same, "without " + missing + " all was as it should be");
    }
  }

  @Test
  void copyAmongTheKernelsIsSeenByThoseAfterIt() {
    try (Backend cuda = new CudaBackend(0)) {
      Emulator.deferred();
      long memory = cuda.allocate(BYTES);
      long result = cuda.allocate(2 * BYTES);
      try (CopyQueue queue = cuda.copyQueue(1)) {
        for (int turn = 0; turn < 2; turn++) {
          MemorySegment host = queue.hostMemory(BYTES);
          host.setAtIndex(ValueLayout.JAVA_FLOAT, 0, turn + 1);
          queue.copyInOrder(host, memory);
          Arguments copy =
              new Arguments.CopyRows(memory, result + turn * BYTES, 1, 1, 1, 1, 1, false);
          cuda.run(Kernel.COPY_ROWS, Precision.F32, copy);
        }
        float[] read = new float[2 * COUNT];
        cuda.copyOut(result, MemorySegment.ofArray(read));
        assertEquals(1, read[0]);
        assertEquals(2, read[COUNT]);
        assertNotEquals(read[0], read[COUNT]);
      }
      cuda.free(memory);
      cuda.free(result);
    }
  }

  @Test
  void closedQueueSaysSoAndTheBackendClosesWhatIsOpen() {
    try (Backend cuda = new CudaBackend(0)) {
      CopyQueue closed = cuda.copyQueue(2);
      closed.close();
      closed.close();
      assertThrows(IllegalStateException.class, () -> closed.await(0));
      cuda.copyQueue(2).hostMemory(64);
      assertEquals(2, Emulator.liveStreams());
    }
  }
}
