// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cuda;

import dev.weft.device.Closing;
import dev.weft.device.CopyQueue;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import jcuda.driver.CUevent;
import jcuda.driver.CUstream;

/** Copies on a second stream; events order it and the stream of the kernels. */
final class CudaCopyQueue implements CopyQueue {
  private final CudaDriver driver;
  private final Set<CudaCopyQueue> open;
  private final List<MemorySegment> pinned = new ArrayList<>();
  private final List<CUevent> copied = new ArrayList<>();
  private final List<CUevent> used = new ArrayList<>();
  private CUstream stream;

  /**
   * @param open those of the backend that are not closed, which this one joins
   */
  CudaCopyQueue(CudaDriver driver, int slots, Set<CudaCopyQueue> open) {
    this.driver = driver;
    this.open = open;
    open.add(this);
    try {
      stream = driver.newStream();
      for (int slot = 0; slot < slots; slot++) {
        copied.add(driver.untimedEvent());
        used.add(driver.untimedEvent());
      }
    } catch (RuntimeException e) {
      Closing.after(e, this::close);
      throw e;
    }
  }

  private void enter() {
    if (!open.contains(this)) {
      throw new IllegalStateException(driver.device() + ": the queue of copies is closed");
    }
    driver.makeCurrent();
  }

  @Override
  public MemorySegment hostMemory(long bytes) {
    enter();
    MemorySegment memory = driver.allocatePinned(bytes);
    pinned.add(memory);
    return memory;
  }

  @Override
  public void await(int slot) {
    enter();
    driver.synchronize(copied.get(slot));
  }

  @Override
  public void copyIn(int slot, MemorySegment from, long to) {
    enter();
    driver.wait(stream, used.get(slot));
    driver.copyIn(from.address(), to, from.byteSize(), stream);
    driver.record(copied.get(slot), stream);
  }

  @Override
  public void use(int slot) {
    enter();
    driver.wait(driver.stream(), copied.get(slot));
  }

  @Override
  public void used(int slot) {
    enter();
    driver.record(used.get(slot), driver.stream());
  }

  @Override
  public void copyInOrder(MemorySegment from, long to) {
    enter();
    driver.copyIn(from.address(), to, from.byteSize());
  }

  /** Both streams are waited for: each may still read this host memory. */
  @Override
  public void close() {
    if (!open.remove(this)) {
      return;
    }
    Closing closing = new Closing();
    closing.run(driver::makeCurrent);
    if (!driver.isLost()) {
      closing.run(driver::synchronize);
    }
    if (stream != null) {
      if (!driver.isLost()) {
        closing.run(() -> driver.synchronize(stream));
      }
      closing.run(() -> driver.destroy(stream));
    }
    copied.forEach(event -> closing.run(() -> driver.destroy(event)));
    used.forEach(event -> closing.run(() -> driver.destroy(event)));
    pinned.forEach(memory -> closing.run(() -> driver.freePinned(memory)));
    closing.finish();
  }
}
