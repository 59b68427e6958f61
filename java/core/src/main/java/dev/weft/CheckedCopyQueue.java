// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import dev.weft.device.CopyQueue;
import java.lang.foreign.MemorySegment;

/** A queue of copies that its device's thread and lifetime hold for. */
final class CheckedCopyQueue implements CopyQueue {
  private final Device device;
  private final CopyQueue queue;
  private boolean closed;

  CheckedCopyQueue(Device device, CopyQueue queue) {
    this.device = device;
    this.queue = queue;
  }

  private CopyQueue open() {
    device.check();
    if (closed) {
      throw new IllegalStateException("the queue of copies on " + device + " is closed");
    }
    return queue;
  }

  @Override
  public MemorySegment hostMemory(long bytes) {
    return open().hostMemory(bytes);
  }

  @Override
  public void await(int slot) {
    open().await(slot);
  }

  @Override
  public void copyIn(int slot, MemorySegment from, long to) {
    open().copyIn(slot, from, to);
  }

  @Override
  public void use(int slot) {
    open().use(slot);
  }

  @Override
  public void used(int slot) {
    open().used(slot);
  }

  @Override
  public void copyInOrder(MemorySegment from, long to) {
    open().copyInOrder(from, to);
  }

  @Override
  public void close() {
    if (!closed) {
      device.checkMayClose();
      closed = true;
      queue.close();
    }
  }
}
