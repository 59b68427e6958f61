// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import dev.weft.device.Arguments;
import dev.weft.device.Element;
import dev.weft.device.Kernel;
import dev.weft.device.Precision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What a running program knows about its place, in device memory: the seed, the numbers of finished
 * steps and of updates, the place in the order of examples and the learning rate. A replayed
 * program has frozen arguments; all that changes from step to step stands here.
 */
public final class StepState implements AutoCloseable {
  private static final int BYTES = Element.STATE_WORDS * Long.BYTES;

  private final Tensor memory;
  private boolean rated;

  /** Makes one at step 0, cursor 0, for a learning rate that {@link #set} gives later. */
  public StepState(Device device, long seed) {
    this(device, seed, 0);
    rated = false;
  }

  /** Makes one at step 0, cursor 0. */
  public StepState(Device device, long seed, double rate) {
    memory = device.allocate(DType.U8, Shape.of(BYTES)).named("step state");
    try {
      set(seed, 0, 0, 0, rate);
    } catch (RuntimeException e) {
      memory.close();
      throw e;
    }
  }

  /**
   * Writes all of it from the host.
   *
   * @param step batches finished so far, which random draws follow
   * @param update updates of the parameters so far
   */
  public void set(long seed, long step, long update, long cursor, double rate) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(BYTES, 8);
      bytes.setAtIndex(ValueLayout.JAVA_LONG, 0, seed);
      bytes.setAtIndex(ValueLayout.JAVA_LONG, 1, step);
      bytes.setAtIndex(ValueLayout.JAVA_LONG, 2, update);
      bytes.setAtIndex(ValueLayout.JAVA_LONG, 3, cursor);
      bytes.setAtIndex(ValueLayout.JAVA_DOUBLE, 4, rate);
      bytes.setAtIndex(ValueLayout.JAVA_FLOAT, 10, (float) rate);
      memory.copyFrom(bytes);
    }
    rated = true;
  }

  /**
   * Returns if there is a learning rate.
   *
   * @throws IllegalStateException where none was given, so that a step would change nothing
   */
  public void checkRated() {
    if (!rated) {
      throw new IllegalStateException("the step state has no learning rate: set it first");
    }
  }

  /**
   * Runs, or records, the kernel that ends a step: one more step and one more update done, {@code
   * rows} further on, at the same rate.
   */
  public void advance(long rows) {
    var arguments = new Arguments.AdvanceStep(address(), 0, rows, 0, true);
    memory.device().run(Kernel.ADVANCE_STEP, Precision.F32, arguments);
  }

  /** The number of finished steps, read back from the device. */
  public long step() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(BYTES, 8);
      memory.copyTo(bytes);
      return bytes.getAtIndex(ValueLayout.JAVA_LONG, 1);
    }
  }

  /** The device that it lies on. */
  public Device device() {
    return memory.device();
  }

  /** Where the place in the order of examples, an int64, lies on the device. */
  long cursorAddress() {
    return memory.address() + 3 * Long.BYTES;
  }

  /** Where it lies on the device. */
  long address() {
    return memory.address();
  }

  @Override
  public void close() {
    memory.close();
  }
}
