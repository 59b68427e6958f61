// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import dev.weft.device.Kernel;

/**
 * Adadelta (Zeiler 2012): PyTorch's Adadelta. With g = gradient + l2 value: squares = rho squares +
 * (1 - rho) g²; d = g √(updates + epsilon) / √(squares + epsilon); updates = rho updates + (1 -
 * rho) d²; value -= rate (d + weightDecay value). Its steps have the unit of the values, so that
 * the usual rate is 1.
 *
 * <p>L1 takes rate l1 of each value after that, decoupled as {@link Adam}'s. Of a table with a
 * gradient of rows only those rows are changed, and their memories: a row that rests forgets
 * nothing.
 *
 * @param rate the learning rate
 * @param rho decay of both means, in [0, 1)
 * @param epsilon what both begin at, as it were: the first step is rate √epsilon times 1/√(1 - rho)
 * @param penalties none until told otherwise
 */
public record Adadelta(double rate, double rho, double epsilon, Penalties penalties)
    implements KernelRule<Adadelta> {

  /** Checks the settings. */
  public Adadelta {
    Optimizer.checkRate(rate);
    Optimizer.checkDecay("rho", rho);
    Optimizer.checkNotNegative("epsilon", epsilon);
  }

  /** Adadelta with rho 0.9 and epsilon 1e-6. */
  public static Adadelta rate(double rate) {
    return new Adadelta(rate, 0.9, 1e-6, Penalties.NONE);
  }

  /** The same with another decay. */
  public Adadelta rho(double rho) {
    return new Adadelta(rate, rho, epsilon, penalties);
  }

  /** The same with another epsilon. */
  public Adadelta epsilon(double epsilon) {
    return new Adadelta(rate, rho, epsilon, penalties);
  }

  @Override
  public Adadelta with(Penalties penalties) {
    return new Adadelta(rate, rho, epsilon, penalties);
  }

  @Override
  public RuleCall call() {
    return new RuleCall(Kernel.ADADELTA, 15, "updates", "squares", null)
        .decay(rho)
        .epsilon(epsilon);
  }

  @Override
  public String spec() {
    return "adadelta";
  }
}
