// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import static dev.weft.format.Format.format;

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
   * @param values all parameters, flat
   * @param gradients their gradients, flat
   */
  default Running start(Tensor values, Tensor gradients) {
    return start(values, gradients, null);
  }

  /**
   * The same, where each step also writes the values rounded to BF16.
   *
   * @param copy memory in BF16 for as many values, or null
   */
  Running start(Tensor values, Tensor gradients, Tensor copy);

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
