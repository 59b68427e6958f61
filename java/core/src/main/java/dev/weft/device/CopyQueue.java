// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import java.lang.foreign.MemorySegment;

/**
 * Copies into device memory that run beside the kernels, in a queue of their own. What they write
 * is divided into slots, and only a slot is waited for:
 *
 * <pre>
 * host:    await(s), write host memory, copyIn(s, ...), use(s), kernels that read s, used(s), ...
 * copies:  begin when the kernels before the last used(s) are done
 * kernels: those after use(s) begin when the copies of s are done
 * </pre>
 *
 * <p>With two slots the copies of one run while kernels read the other. A queue is used by the
 * thread that may use its device.
 */
public interface CopyQueue extends AutoCloseable {

  /** Takes host memory to copy from, page-locked where that matters; freed with the queue. */
  MemorySegment hostMemory(long bytes);

  /** Waits until the copies given for a slot are done: what they read may then be written. */
  void await(int slot);

  /**
   * Queues a copy for a slot.
   *
   * @param from memory of this queue, which must stay as it is until {@link #await}
   */
  void copyIn(int slot, MemorySegment from, long to);

  /** Kernels given from now on see the copies that were given for a slot. */
  void use(int slot);

  /**
   * Copies given from now on for a slot leave its memory alone until the kernels so far are done.
   */
  void used(int slot);

  /**
   * Queues a copy among the kernels: those before it do not see it, those after it do.
   *
   * @param from memory of this queue, which must stay as it is as long as the queue is open
   */
  void copyInOrder(MemorySegment from, long to);

  /** Waits for all copies and frees the host memory; closing again does nothing. */
  @Override
  void close();
}
