// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import static dev.weft.format.Format.format;

import dev.weft.Engine;
import dev.weft.Operations;
import dev.weft.RowGradient;
import dev.weft.StepState;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What an {@link Optimizer} works on in one step: parameters that change by one rule, laid end to
 * end in one flat tensor, or a table of which the step changes some rows.
 *
 * <p>A rule made of operations reads {@link #gradient}, {@link #rate} and {@link #memory} and sets
 * {@link #values} and memory by {@link Operations#assign}. One made of kernels finds what they take
 * in the other methods.
 */
public final class Update {
  private final Optimizer.Target target;
  private final Map<String, Tensor> memory;
  private final @Nullable Tape tape;
  private final StepState state;
  private final Clipping clipping;

  Update(
      Optimizer.Target target,
      Map<String, Tensor> memory,
      @Nullable Tape tape,
      StepState state,
      Clipping clipping) {
    this.target = target;
    this.memory = memory;
    this.tape = tape;
    this.state = state;
    this.clipping = clipping;
  }

  /** The values, flat (n), or a table (rows, width); F32 or F64. */
  public Tensor values() {
    return target.values();
  }

  /**
   * The gradient (n): that of the mean loss over all batches of the update, clipped where that was
   * asked for.
   *
   * @throws IllegalStateException where it is one of rows
   */
  public Tensor gradient() {
    return clipping.applied(operations(), rawGradient());
  }

  /** What the rule remembers, by a name of {@link Optimizer#memory}, of the values' shape. */
  public Tensor memory(String name) {
    Tensor found = memory.get(name);
    if (found == null) {
      throw new IllegalArgumentException(
          format("the optimizer's memory() names no '%s', only %s", name, memory.keySet()));
    }
    return found;
  }

  /** The learning rate of this step, a scalar of the values' type. */
  public Tensor rate() {
    Tensor rate = state.rate(target.values().dtype());
    return target.rateFactor() == 1 ? rate : operations().scale(rate, target.rateFactor());
  }

  /** What the rule may be made of; nothing of it is recorded for gradients. */
  public Operations operations() {
    if (tape == null) {
      throw new IllegalStateException("a rule made of operations needs a tape to run on");
    }
    return tape;
  }

  /** Whether it is a table with a gradient of rows. */
  public boolean isTable() {
    return target.table() != null;
  }

  /**
   * The gradient of a table.
   *
   * @throws IllegalStateException where it is dense
   */
  public RowGradient rows() {
    RowGradient rows = target.table() == null ? null : Engine.rowGradient(target.table());
    if (rows == null) {
      throw new IllegalStateException(
          format("%s has no gradient of rows", Engine.describe(target.values())));
    }
    return rows;
  }

  /**
   * The gradient as the backward passes left it, summed and not clipped.
   *
   * @throws IllegalStateException where it is one of rows
   */
  public Tensor rawGradient() {
    if (target.gradients() == null) {
      throw new IllegalStateException(
          format("%s has a gradient of rows", Engine.describe(target.values())));
    }
    return target.gradients();
  }

  /** Where the values are to be written rounded to BF16; 0 where they are not. */
  public long copyAddress() {
    return target.copy() == null ? 0 : Engine.address(target.copy());
  }

  /** Where the rate and the number of updates stand. */
  public long stateAddress() {
    return Engine.address(state);
  }

  /** What the rate that stands there is multiplied by. */
  public double rateFactor() {
    return target.rateFactor();
  }

  /** What the raw gradient is multiplied by to be that of the mean loss. */
  public double gradientScale() {
    return clipping.scale();
  }

  /** Partial sums of the squares of all gradients that are clipped together; 0 where none are. */
  public long squaresAddress() {
    return clipping.squares() == null ? 0 : Engine.address(clipping.squares());
  }

  /** How many partial sums there are. */
  public long squaresCount() {
    return clipping.squares() == null ? 0 : clipping.squares().elements();
  }

  /** The largest norm of the scaled gradient, where there are sums of squares. */
  public double maxNorm() {
    return clipping.maxNorm();
  }

  /** The largest magnitude of an element of the scaled gradient; infinite where there is none. */
  public double gradientLimit() {
    return clipping.gradientLimit();
  }

  /** The largest magnitude of what is taken from a value; infinite where there is none. */
  public double updateLimit() {
    return clipping.updateLimit();
  }

  /** Runs, or records, a kernel over the values. */
  public void run(Kernel kernel, Arguments arguments) {
    Engine.run(values().device(), kernel, values().dtype().precision(), arguments);
  }
}
