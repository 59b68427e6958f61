// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import static dev.weft.format.Format.format;

import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.StepState;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.device.Closing;
import dev.weft.op.Cast;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A rule with its memory over one target. */
public final class RunningRule implements AutoCloseable {
  private final Optimizer rule;
  private final Optimizer.Target target;
  private final Map<String, Tensor> memory = new LinkedHashMap<>();
  private boolean closed;

  /**
   * Takes the memory.
   *
   * @throws IllegalArgumentException where the parts of the target do not fit
   */
  RunningRule(Optimizer rule, Optimizer.Target target) {
    target.check();
    if (target.table() != null && !rule.takesRows()) {
      throw new IllegalArgumentException(
          format(
              "%s does not know gradients of rows, which %s has: make its gradient dense, or give"
                  + " it another optimizer by a group",
              rule.spec(), target.table().name()));
    }
    this.rule = rule;
    this.target = target;
    Tensor values = target.values();
    try {
      for (String name : rule.memory()) {
        double first = rule.beginning(name);
        memory.put(name, values.device().full(values.dtype(), values.shape(), first).named(name));
      }
    } catch (RuntimeException e) {
      Closing.after(e, this::close);
      throw e;
    }
  }

  /** The same memory under other settings of a rule that remembers the same. */
  RunningRule with(Optimizer other, double rateFactor) {
    var changed =
        new Optimizer.Target(
            target.values(), target.gradients(), target.table(), target.copy(), rateFactor);
    return new RunningRule(other, changed, memory);
  }

  private RunningRule(Optimizer rule, Optimizer.Target target, Map<String, Tensor> memory) {
    this.rule = rule;
    this.target = target;
    this.memory.putAll(memory);
  }

  /** The rule. */
  Optimizer rule() {
    return rule;
  }

  Optimizer.Target target() {
    return target;
  }

  /** What it remembers, by name, each of the values' shape. */
  public Map<String, Tensor> memory() {
    return memory;
  }

  /**
   * Runs, or records, one step at the rate and update number of {@code state}, the gradients as
   * they are.
   *
   * @throws IllegalStateException where {@code state} was given no rate
   */
  public void step(StepState state) {
    step(null, state, Clipping.NONE);
  }

  /**
   * The same.
   *
   * @param tape for rules that are made of operations, and for clipping
   */
  void step(@Nullable Tape tape, StepState state, Clipping clipping) {
    if (closed) { // a rule without memory has nothing else that would say so
      throw new IllegalStateException(format("the optimizer %s is closed", rule.spec()));
    }
    Optimizer.checkState(target.values(), state);
    if (target.table() != null && Engine.rowGradient(target.table()) == null) {
      return; // the pass did not use the table
    }
    Update update = new Update(target, memory, tape, state, clipping);
    if (tape == null || Double.isInfinite(clipping.updateLimit()) || rule.isOneKernel()) {
      rule.update(update);
    } else {
      Tensor before = Clipping.copyOf(tape, target.values());
      rule.update(update);
      Clipping.cut(tape, target.values(), before, clipping.updateLimit());
    }
    target.noteStep();
    if (target.copy() != null && !rule.isOneKernel()) {
      Cast.run(target.values().device(), target.values(), new Node.Sink(target.copy(), false));
    }
  }

  @Override
  public void close() {
    target.values().device().checkMayClose();
    closed = true;
    Closing.all(memory.values().toArray(Tensor[]::new));
  }
}
