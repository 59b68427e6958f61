// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cpu;

import dev.weft.device.CopyQueue;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Copies of the processor: each is done when it returns, so that there is nothing to wait for. */
final class ImmediateCopies implements CopyQueue {
  private static final long ALIGNMENT = 64;

  private final Arena arena = Arena.ofShared();

  @Override
  public MemorySegment hostMemory(long bytes) {
    return arena.allocate(bytes, ALIGNMENT);
  }

  @Override
  public void await(int slot) {}

  @Override
  public void copyIn(int slot, MemorySegment from, long to) {
    copyInOrder(from, to);
  }

  @Override
  public void use(int slot) {}

  @Override
  public void used(int slot) {}

  @Override
  public void copyInOrder(MemorySegment from, long to) {
    MemorySegment.ofAddress(to).reinterpret(from.byteSize()).copyFrom(from);
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
