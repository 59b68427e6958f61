// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;

import dev.weft.device.Arguments;
import dev.weft.device.Closing;
import dev.weft.device.Element;
import dev.weft.device.Kernel;
import dev.weft.device.Precision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * The state of a run in device memory: the seed, the numbers of finished batches and updates, the
 * place in the order of examples, the learning rate and the factors of momentum and of weight
 * decay. A recorded step is replayed with the arguments that it was recorded with; all that changes
 * from step to step stands here.
 */
public final class StepState implements AutoCloseable {
  private static final int BYTES = Element.STATE_WORDS * Long.BYTES;
  private static final int RATE = 32;
  private static final int RATE_F32 = 40;
  private static final int FACTORS = 48;

  private final Tensor memory;
  private final @Nullable Tensor
      rates; // those of the updates to come, by update % how many there are
  private final MemorySegment host = Arena.ofAuto().allocate(BYTES, 8);
  private boolean rated;

  /** A state at step 0, cursor 0, for a learning rate that {@link #set} gives later. */
  public StepState(Device device, long seed) {
    this(device, seed, 0, 0);
    rated = false;
  }

  /** A state at step 0, cursor 0, with the learning rate of the first update. */
  public StepState(Device device, long seed, double rate) {
    this(device, seed, rate, 0);
  }

  /** The same, with room for the {@link #rates} of so many updates to come. */
  public StepState(Device device, long seed, double rate, int updates) {
    memory = device.allocate(DType.U8, Shape.of(BYTES)).named("step state");
    @Nullable Tensor table = null;
    try {
      if (updates > 0) {
        table = device.zeros(DType.F64, Shape.of(updates, 3)).named("learning rates");
      }
      set(seed, 0, 0, 0, rate);
    } catch (RuntimeException e) {
      @Nullable Tensor taken = table;
      Closing.after(e, () -> Closing.all(memory, taken));
      throw e;
    }
    rates = table;
  }

  /**
   * Writes the whole state from the host.
   *
   * @param step batches finished so far, which random draws follow
   * @param update updates of the parameters so far
   * @param cursor the place in the order of examples
   * @param rate the learning rate of the next update
   */
  public void set(long seed, long step, long update, long cursor, double rate) {
    set(seed, step, update, cursor, rate, 1, 1);
  }

  /**
   * The same, with the factors of the next update.
   *
   * @param momentum what the momentum of rules is multiplied by
   * @param decay what their weight decay is multiplied by
   */
  public void set(
      long seed, long step, long update, long cursor, double rate, double momentum, double decay) {
    host.setAtIndex(ValueLayout.JAVA_LONG, 0, seed);
    host.setAtIndex(ValueLayout.JAVA_LONG, 1, step);
    host.setAtIndex(ValueLayout.JAVA_LONG, 2, update);
    host.setAtIndex(ValueLayout.JAVA_LONG, 3, cursor);
    putRate(rate);
    host.set(ValueLayout.JAVA_DOUBLE, FACTORS, momentum);
    host.set(ValueLayout.JAVA_DOUBLE, FACTORS + Double.BYTES, decay);
    memory.copyFrom(host);
    rated = true;
  }

  /** Writes the learning rate of the next update alone. */
  public void rate(double rate) {
    putRate(rate);
    memory.view(RATE, Shape.of(FACTORS - RATE)).copyFrom(host.asSlice(RATE, FACTORS - RATE));
    rated = true;
  }

  private void putRate(double rate) {
    host.set(ValueLayout.JAVA_DOUBLE, RATE, rate);
    host.set(ValueLayout.JAVA_FLOAT, RATE_F32, (float) rate);
  }

  /**
   * The learning rate of the next update as a scalar of type F32 or F64, which moves on with it.
   */
  public Tensor rate(DType dtype) {
    return memory.viewAs(dtype, dtype == DType.F32 ? RATE_F32 : RATE, Shape.of()).named("rate");
  }

  /**
   * Writes the learning rates of updates to come, each with the factors of momentum and of weight
   * decay: each step that ends an update takes the next ones, without the host. Those of update u
   * stand at 3 (u % n), n how many there is room for.
   *
   * @param places 3 n float64, in that order
   * @throws IllegalArgumentException where they are another number
   * @throws IllegalStateException where there is room for none
   */
  public void rates(MemorySegment places) {
    if (rates == null) {
      throw new IllegalStateException("this step state has no room for rates of updates to come");
    }
    rates.copyFrom(places);
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

  /** Runs, or records, the kernel that ends a batch and an update, {@code rows} further on. */
  public void advance(long rows) {
    advance(rows, true);
  }

  /** The same; without an update where gradients go on adding up. */
  public void advance(long rows, boolean update) {
    memory
        .device()
        .run(
            Kernel.ADVANCE_STEP,
            Precision.F32,
            new Arguments.AdvanceStep(address(), ratesAddress(), rows, ratesCount(), update));
  }

  long ratesAddress() {
    return rates == null ? 0 : rates.address();
  }

  long ratesCount() {
    return rates == null ? 0 : rates.elements() / 3;
  }

  /** The number of finished batches, read back from the device. */
  public long step() {
    return word(1);
  }

  /** The number of updates so far, read back from the device. */
  public long update() {
    return word(2);
  }

  private long word(int place) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(BYTES, 8);
      memory.copyTo(bytes);
      return bytes.getAtIndex(ValueLayout.JAVA_LONG, place);
    }
  }

  /** The device that it lies on. */
  public Device device() {
    return memory.device();
  }

  long cursorAddress() {
    return memory.address() + 3 * Long.BYTES;
  }

  long address() {
    return memory.address();
  }

  @Override
  public void close() {
    memory.device().checkMayClose();
    Closing.all(memory, rates);
  }

  @Override
  public String toString() {
    return format("step state on %s", memory.device());
  }
}
