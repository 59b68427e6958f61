// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import dev.weft.device.Kernel;

/**
 * Adagrad (Duchi et al. 2011): PyTorch's Adagrad. With g = gradient + l2 value and r = rate / (1 +
 * (t - 1) rateDecay) in update t: sum += g²; value -= r (g / (√sum + epsilon) + weightDecay value).
 *
 * <p>L1 takes r l1 of each value after that, decoupled as {@link Adam}'s. Without penalties the
 * lazy form for rows of a table is the dense rule: a gradient of 0 changes nothing.
 *
 * @param rate the learning rate
 * @param rateDecay what makes the rate fall with the number of updates
 * @param initial what the sum of squares begins at
 * @param epsilon keeps the quotient finite
 * @param penalties none until told otherwise
 */
public record Adagrad(
    double rate, double rateDecay, double initial, double epsilon, Penalties penalties)
    implements KernelRule<Adagrad> {

  /** Checks the settings. */
  public Adagrad {
    Optimizer.checkRate(rate);
    Optimizer.checkNotNegative("rate decay", rateDecay);
    Optimizer.checkNotNegative("the initial sum of squares", initial);
    Optimizer.checkNotNegative("epsilon", epsilon);
  }

  /** Adagrad whose sum begins at 0, with epsilon 1e-10. */
  public static Adagrad rate(double rate) {
    return new Adagrad(rate, 0, 0, 1e-10, Penalties.NONE);
  }

  /** The same with a rate that falls as 1 / (1 + (t - 1) rateDecay). */
  public Adagrad rateDecay(double rateDecay) {
    return new Adagrad(rate, rateDecay, initial, epsilon, penalties);
  }

  /** The same with a sum of squares that begins at {@code initial}. */
  public Adagrad initial(double initial) {
    return new Adagrad(rate, rateDecay, initial, epsilon, penalties);
  }

  /** The same with another epsilon. */
  public Adagrad epsilon(double epsilon) {
    return new Adagrad(rate, rateDecay, initial, epsilon, penalties);
  }

  @Override
  public Adagrad with(Penalties penalties) {
    return new Adagrad(rate, rateDecay, initial, epsilon, penalties);
  }

  @Override
  public RuleCall call() {
    return new RuleCall(Kernel.ADAGRAD, 7, null, "sum", null).epsilon(epsilon).fade(rateDecay);
  }

  @Override
  public double beginning(String memory) {
    return initial;
  }

  @Override
  public String spec() {
    return "adagrad";
  }
}
