// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import dev.weft.Device;
import dev.weft.StepState;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.device.Closing;
import dev.weft.nn.Network;
import dev.weft.nn.ParameterArena;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An optimizer at work on a network, for a loop by hand:
 *
 * <pre>{@code
 * try (var stepper = Adam.rate(1e-3).stepper(network)) {
 *   for (int step = 0; step < 1000; step++) {
 *     try (Tape tape = stepper.tape()) {
 *       Tensor loss = tape.meanSquaredError(network.forward(tape, x), y);
 *       tape.backward(loss);
 *       stepper.step();
 *     }
 *   }
 * }
 * }</pre>
 *
 * <p>Gradients begin at zero with each step, and add up over all tapes and backward passes before
 * it, but for tables whose gradient is a list of rows: for a mean over batches, the losses are
 * scaled. Dropout draws anew on each tape.
 */
public final class Stepper implements AutoCloseable {
  private final Network network;
  private final ParameterArena arena;
  private final Groups groups;
  private final Updates updates;
  private final StepState state;
  private Map<String, Double> maxNorms = Map.of();
  private double rate;
  private long seed;
  private @Nullable Tape tape;
  private boolean begun;

  Stepper(Network network, Optimizer optimizer) {
    this.network = network;
    network.arena().checkUntrained();
    groups = new Groups(network, optimizer, Map.of());
    groups.check(List.of());
    updates = new Updates(groups);
    arena = updates.arena();
    rate = optimizer.rate();
    try {
      state = new StepState(arena.values().device(), 0, rate);
    } catch (RuntimeException e) {
      Closing.after(e, updates::close);
      throw e;
    }
    arena.zeroGradients();
  }

  /**
   * The seed that dropout follows, 0 until told otherwise. Returns this.
   *
   * @throws IllegalStateException after the first tape
   */
  public Stepper seed(long seed) {
    if (begun) {
      throw new IllegalStateException("a stepper takes its seed before its first tape");
    }
    state.set(seed, state.step(), state.update(), 0, rate);
    this.seed = seed;
    return this;
  }

  /**
   * Writes what the optimizer remembers and the number of steps, as safetensors, complete or not at
   * all: the metadata say by which rule. The network is saved by itself.
   *
   * @throws IllegalStateException where gradients wait for a step
   * @throws IOException where the file cannot be written
   */
  public void save(Path path) throws IOException {
    checkBetweenSteps();
    Map<String, Long> numbers = Map.of("step", state.step(), "update", state.update());
    OptimizerFile.write(path, groups, updates.memory(), numbers);
  }

  /**
   * Goes on from what {@link #save}, or a trainer, wrote, by the same rule on a network of the same
   * parameters: with the network's values and the {@link #seed}, as if it had never stopped.
   * Returns this.
   *
   * @throws IllegalStateException where gradients wait for a step
   * @throws IOException where the file cannot be read, or is of another rule or network; nothing is
   *     changed then
   */
  public Stepper load(Path path) throws IOException {
    checkBetweenSteps();
    OptimizerFile file = OptimizerFile.read(path, groups);
    long step = file.number(path, "step", 0, Long.MAX_VALUE);
    long update = file.number(path, "update", 0, Long.MAX_VALUE);
    boolean isTrainers = file.notes().containsKey("begun"); // updates before the memory began
    long begun = isTrainers ? file.number(path, "begun", 0, update) : 0;
    updates.restore(file.memory());
    state.set(seed, step, update - begun, 0, rate);
    return this;
  }

  private void checkBetweenSteps() {
    check();
    if (tape != null) {
      throw new IllegalStateException(
          "a tape of the stepper has no step yet: an optimizer is saved and loaded after step()");
    }
  }

  /**
   * Clips from the next step on. Returns this.
   *
   * @throws IllegalArgumentException where a table whose gradient is a list of rows cannot be
   */
  public Stepper clip(Clip clip) {
    groups.check(List.of(clip));
    updates.clip(List.of(clip));
    return this;
  }

  /**
   * Keeps the columns of matrices from a larger norm, from the next step on, beside what earlier
   * calls keep: see {@link MaxNorm}. Returns this.
   *
   * @param pattern which matrices: see {@link Network#matching}
   * @throws IllegalArgumentException where {@code most} is not positive and finite, or the pattern
   *     names no matrix, or one whose columns are not the weights into units
   */
  public Stepper maxNorm(String pattern, double most) {
    Map<String, Double> bounds = new LinkedHashMap<>(maxNorms);
    bounds.put(pattern, MaxNorm.check(most));
    updates.maxNorm(new MaxNorm(network, bounds));
    maxNorms = bounds;
    return this;
  }

  /** The learning rate of the next step. */
  public double rate() {
    return rate;
  }

  /**
   * Sets the learning rate from the next step on. Returns this.
   *
   * @throws IllegalArgumentException where it is negative, NaN or infinite
   */
  public Stepper rate(double rate) {
    state.rate(Optimizer.checkRate(rate));
    this.rate = rate;
    return this;
  }

  /**
   * A tape for a batch, in the network's math mode; the caller closes it.
   *
   * @throws IllegalStateException where the tape before is open; where the stepper or the network
   *     was closed, the network was moved to other memory, or is trained by a run
   */
  public Tape tape() {
    check();
    if (tape != null && !tape.isClosed()) {
      throw new IllegalStateException(
          "the tape before is open, whose dropout goes by the same state: close it first");
    }
    if (tape != null) {
      state.advance(0, false); // another batch of the same step has other draws
    }
    begun = true;
    tape = new Tape(device(), state, Tape.Mode.TRAIN).math(network.math());
    return tape;
  }

  /**
   * Changes the parameters by the gradients of the backward passes since the step before; of
   * parameters that those did not reach the gradient is 0.
   *
   * @throws IllegalStateException where there was no such pass; where it is closed and a table's
   *     gradient of rows with it; where the stepper or the network was closed, the network was
   *     moved to other memory, or is trained by a run
   */
  public void step() {
    check();
    if (tape == null || !arena.hasGradients()) {
      throw new IllegalStateException(
          "a step follows a backward pass on a tape of this stepper: open one by tape()");
    }
    arena.fillMissingGradients();
    if (tape.isClosed()) {
      try (Tape own = new Tape(device(), state, Tape.Mode.TRAIN)) {
        updates.step(own, state, 1);
      }
    } else {
      updates.step(tape, state, 1);
    }
    state.advance(0, true);
    arena.zeroGradients();
    begun = true;
    tape = null;
  }

  private Device device() {
    return arena.values().device();
  }

  private void check() {
    if (updates.isClosed() || !network.isOnDevice() || network.arena() != arena) {
      throw new IllegalStateException(
          "the stepper is closed, or its network was closed or put on a device again: the"
              + " parameters that it stepped are gone; make another stepper");
    }
    arena.checkUntrained();
  }

  /** What the optimizer remembers, by parameter: {@code 0.weight.velocity}. */
  public Map<String, Tensor> memory() {
    check();
    return updates.memory();
  }

  /** Gives back what the optimizer remembered; the network stays on the device. */
  @Override
  public void close() {
    state.device().checkMayClose();
    if (network.isOnDevice() && network.arena() == arena) {
      arena.forgetRows(); // they lie in memory of tapes
    }
    Closing.all(updates, state);
  }
}
