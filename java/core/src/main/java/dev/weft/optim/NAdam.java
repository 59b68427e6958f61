// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import dev.weft.device.Kernel;

/**
 * NAdam (Dozat 2016), Adam with Nesterov's momentum: PyTorch's NAdam. With m and v as {@link
 * Adam}'s and the momentum of update t, b(t) = beta1 (1 - 0.96^(t momentumDecay) / 2), B(t) their
 * product so far: value -= rate ((1 - b(t)) / (1 - B(t)) g + b(t + 1) / (1 - B(t + 1)) m) / (√v̂ +
 * epsilon) + rate weightDecay value.
 *
 * <p>The product is worked out anew in each step, so that a schedule of momentum makes it that of
 * the step's beta1. Penalties and rows are as Adam's.
 *
 * @param rate the learning rate
 * @param beta1 what the momentum grows to, in [0, 1)
 * @param beta2 decay of the mean square, in [0, 1)
 * @param epsilon keeps the quotient finite
 * @param momentumDecay how fast the momentum grows from about half of beta1 to beta1
 * @param penalties none until told otherwise
 */
public record NAdam(
    double rate,
    double beta1,
    double beta2,
    double epsilon,
    double momentumDecay,
    Penalties penalties)
    implements KernelRule<NAdam> {

  /** Checks the settings. */
  public NAdam {
    Optimizer.checkRate(rate);
    Optimizer.checkDecay("beta1", beta1);
    Optimizer.checkDecay("beta2", beta2);
    Optimizer.checkNotNegative("epsilon", epsilon);
    Optimizer.checkNotNegative("momentum decay", momentumDecay);
  }

  /** NAdam with beta1 0.9, beta2 0.999, epsilon 1e-8 and momentum decay 0.004. */
  public static NAdam rate(double rate) {
    return new NAdam(rate, 0.9, 0.999, 1e-8, 4e-3, Penalties.NONE);
  }

  /** The same with other decays. */
  public NAdam betas(double beta1, double beta2) {
    return new NAdam(rate, beta1, beta2, epsilon, momentumDecay, penalties);
  }

  /** The same with another epsilon. */
  public NAdam epsilon(double epsilon) {
    return new NAdam(rate, beta1, beta2, epsilon, momentumDecay, penalties);
  }

  /** The same with a momentum that grows at another pace. */
  public NAdam momentumDecay(double momentumDecay) {
    return new NAdam(rate, beta1, beta2, epsilon, momentumDecay, penalties);
  }

  @Override
  public NAdam with(Penalties penalties) {
    return new NAdam(rate, beta1, beta2, epsilon, momentumDecay, penalties);
  }

  @Override
  public RuleCall call() {
    return new RuleCall(Kernel.NADAM, 15, "first", "second", null)
        .momentum(beta1)
        .decay(beta2)
        .epsilon(epsilon)
        .fade(momentumDecay);
  }

  @Override
  public String spec() {
    return "nadam";
  }
}
