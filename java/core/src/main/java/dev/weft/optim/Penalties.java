// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

/**
 * What a rule has beside the gradient, of each value: see {@link KernelRule}.
 *
 * @param l1 the factor of an L1 penalty, which brings values to exactly 0
 * @param l2 the factor of an L2 penalty's gradient
 * @param weightDecay decoupled weight decay
 */
public record Penalties(double l1, double l2, double weightDecay) {
  /** Neither penalties nor decay. */
  public static final Penalties NONE = new Penalties(0, 0, 0);

  /** Checks that they are finite and at least 0. */
  public Penalties {
    Optimizer.checkNotNegative("l1", l1);
    Optimizer.checkNotNegative("l2", l2);
    Optimizer.checkNotNegative("weight decay", weightDecay);
  }

  /** Operations for a value, as {@link dev.weft.device.Cost} counts them. */
  int operations() {
    return (l1 == 0 ? 0 : 2) + (l2 == 0 ? 0 : 2) + (weightDecay == 0 ? 0 : 2);
  }
}
