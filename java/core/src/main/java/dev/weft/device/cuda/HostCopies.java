// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cuda;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import org.jspecify.annotations.Nullable;

/**
 * Copies between host memory and one device, done when they return. Off-heap memory goes straight
 * to the driver where it is large; what is small, such as a loss or a step's state, and heap arrays
 * pass through page-locked memory, piece by piece: the driver would take small pieces of other
 * memory through its own, at more cost.
 */
final class HostCopies implements AutoCloseable {
  private static final long STAGE_BYTES = 4L << 20;
  private static final long SMALL_BYTES = 64L << 10;

  private final CudaDriver driver;
  private @Nullable MemorySegment stage;

  HostCopies(CudaDriver driver) {
    this.driver = driver;
  }

  /** Copies all of {@code from} to the device. */
  void in(MemorySegment from, long to) {
    long bytes = from.byteSize();
    if (bytes == 0) {
      return;
    }
    if (from.isNative()) {
      check(from);
    }
    if (from.isNative() && bytes > SMALL_BYTES) {
      driver.copyIn(from.address(), to, bytes);
      driver.synchronize();
      Reference.reachabilityFence(from);
      return;
    }
    MemorySegment stage = stage();
    for (long done = 0; done < bytes; done += STAGE_BYTES) {
      long piece = Math.min(STAGE_BYTES, bytes - done);
      MemorySegment.copy(from, done, stage, 0, piece);
      driver.copyIn(stage.address(), to + done, piece);
      driver.synchronize();
    }
  }

  /** Fills all of {@code to} from the device. */
  void out(long from, MemorySegment to) {
    long bytes = to.byteSize();
    if (bytes == 0) {
      return;
    }
    if (to.isReadOnly()) {
      throw new IllegalArgumentException("the memory to copy to is read-only");
    }
    if (to.isNative()) {
      check(to);
    }
    if (to.isNative() && bytes > SMALL_BYTES) {
      driver.copyOut(from, to.address(), bytes);
      driver.synchronize();
      Reference.reachabilityFence(to);
      return;
    }
    MemorySegment stage = stage();
    for (long done = 0; done < bytes; done += STAGE_BYTES) {
      long piece = Math.min(STAGE_BYTES, bytes - done);
      driver.copyOut(from + done, stage.address(), piece);
      driver.synchronize();
      MemorySegment.copy(stage, 0, to, done, piece);
    }
  }

  // The driver gets a bare address, behind which Java no longer checks anything.
  private static void check(MemorySegment memory) {
    if (!memory.scope().isAlive()) {
      throw new IllegalStateException(
          "the host memory to copy has been freed: its arena is closed");
    }
    if (!memory.isAccessibleBy(Thread.currentThread())) {
      throw new WrongThreadException(
          "the host memory to copy belongs to another thread: its arena is confined");
    }
  }

  private MemorySegment stage() {
    if (stage == null) {
      stage = driver.allocatePinned(STAGE_BYTES);
    }
    return stage;
  }

  @Override
  public void close() {
    if (stage != null) {
      MemorySegment memory = stage;
      stage = null;
      driver.freePinned(memory);
    }
  }
}
