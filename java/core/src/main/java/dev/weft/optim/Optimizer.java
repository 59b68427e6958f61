// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Engine;
import dev.weft.StepState;
import dev.weft.Tensor;
import java.util.Map;

/** A rule that changes parameters by their gradients; its settings, without memory. */
public interface Optimizer {

  /** The learning rate. */
  double rate();

  /** Values of state that it keeps for each parameter: 0, 1 or 2. */
  int statePerParameter();

  /**
   * Takes the memory that the rule needs.
   *
   * @param values all parameters, flat, F32 or F64
   * @param gradients their gradients, flat, of the same type
   * @throws IllegalArgumentException where the two do not fit
   */
  default Running start(Tensor values, Tensor gradients) {
    return start(Target.of(values, gradients));
  }

  /** The same, where each step also writes the values, F32, rounded to BF16; copy may be null. */
  default Running start(Tensor values, Tensor gradients, Tensor copy) {
    return start(new Target(values, gradients, null, copy, 1));
  }

  /**
   * Takes the memory that the rule needs over a target.
   *
   * @throws IllegalArgumentException where its parts do not fit
   */
  Running start(Target target);

  /** How it is written in files and on the command line. */
  String spec();

  /** An optimizer with its memory. */
  interface Running extends AutoCloseable {
    /**
     * Runs, or records, one step at the rate and step number of {@code state}.
     *
     * @throws IllegalStateException where {@code state} was given no rate
     */
    void step(StepState state);

    /** What it remembers, by name. */
    Map<String, Tensor> state();

    @Override
    void close();
  }

  /**
   * What a rule changes: values with dense gradients, or a table whose gradient is a list of rows,
   * of which only those are changed and what is remembered of them.
   *
   * @param values F32 or F64
   * @param gradients of the same type and size; null for a table
   * @param table what holds the table's {@link Tensor#rowGradient}; null for dense gradients
   * @param copy receives the values rounded to BF16; or null
   * @param rateFactor what the learning rate of the step state is multiplied by
   */
  record Target(Tensor values, Tensor gradients, Tensor table, Tensor copy, double rateFactor) {
    /** Values and their gradients, at the step state's rate. */
    public static Target of(Tensor values, Tensor gradients) {
      return new Target(values, gradients, null, null, 1);
    }

    /**
     * Checks that a rule can run over it.
     *
     * @throws IllegalArgumentException that says what does not fit
     */
    void check() {
      checkMemory(values, gradients, copy);
      checkNotNegative("a factor of the rate", rateFactor);
      if ((gradients == null) == (table == null)) {
        throw new IllegalArgumentException(
            format("%s need dense gradients, or a table with rows, one of both", values));
      }
      if (table != null
          && (!Engine.isGradRows(table)
              || !table.shape().equals(values.shape())
              || table.device() != values.device())) {
        throw new IllegalArgumentException(
            format("%s is no table with a gradient of rows for %s", table, values));
      }
    }

    /** Notes that a step changes the values and their copy. */
    void noteStep() {
      Engine.changed(values);
      if (copy != null) {
        Engine.changed(copy);
      }
    }

    /** Where the copy is; 0 where there is none. */
    long copyAddress() {
      return copy == null ? 0 : Engine.address(copy);
    }
  }

  /**
   * Returns if a rule can run over this memory: values F32 or F64, gradients of their type, a copy
   * in BF16 of F32 values, all on one device and of as many elements.
   *
   * @throws IllegalArgumentException that says what does not fit
   * @throws IllegalStateException where one of them is closed
   */
  static void checkMemory(Tensor values, Tensor gradients, Tensor copy) {
    Engine.address(values); // throws where it is closed
    if (!values.dtype().isFloating() || values.dtype() != values.dtype().wide()) {
      throw new IllegalArgumentException(
          format("an optimizer changes values of type F32 or F64, not %s", values));
    }
    if (gradients != null) {
      checkBeside(values, "gradients", gradients, values.dtype());
    }
    if (copy != null) {
      if (values.dtype() != DType.F32) {
        throw new IllegalArgumentException(format("%s have no copy in BF16: F32 has", values));
      }
      checkBeside(values, "copy", copy, DType.BF16);
    }
  }

  private static void checkBeside(Tensor values, String what, Tensor tensor, DType dtype) {
    Engine.address(tensor); // throws where it is closed
    if (tensor.dtype() != dtype
        || tensor.elements() != values.elements()
        || tensor.device() != values.device()) {
      throw new IllegalArgumentException(
          format(
              "the %s, %s, do not fit the values, %s: they must be %s %s on the same device",
              what, tensor, values, dtype, values.shape()));
    }
  }

  /**
   * Returns if a step over {@code values} can follow {@code state}.
   *
   * @throws IllegalArgumentException where it lies on another device
   * @throws IllegalStateException where it was given no rate
   */
  static void checkState(Tensor values, StepState state) {
    state.checkRated();
    if (state.device() != values.device()) {
      throw new IllegalArgumentException(
          format("a step state on %s does not serve %s", state.device(), values));
    }
  }

  /**
   * Returns the rate if it is one.
   *
   * @throws IllegalArgumentException where it is negative, NaN or infinite
   */
  static double checkRate(double rate) {
    return checkNotNegative("a learning rate", rate);
  }

  /**
   * Returns a setting if it is finite and at least 0.
   *
   * @throws IllegalArgumentException that names it, where it is not
   */
  static double checkNotNegative(String what, double value) {
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw new IllegalArgumentException(
          format("%s must be finite and at least 0, not %s", what, value));
    }
    return value;
  }

  /**
   * Returns a decay if it is one.
   *
   * @throws IllegalArgumentException that names it, where it is outside [0, 1)
   */
  static double checkDecay(String what, double value) {
    if (!(value >= 0 && value < 1)) {
      throw new IllegalArgumentException(format("%s must be in [0, 1), not %s", what, value));
    }
    return value;
  }
}
