// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import dev.weft.device.Kernel;

/**
 * Lion (Chen et al. 2023, "Symbolic discovery of optimization algorithms"). With g = gradient + l2
 * value: value -= rate (sign(beta1 m + (1 - beta1) g) + weightDecay value); m = beta2 m + (1 -
 * beta2) g. All values move by the rate, so that it is 3 to 10 times smaller than Adam's, and the
 * decay as many times larger.
 *
 * <p>L1 takes rate l1 of each value after that: with l1 1 or more values do not leave 0. Of a table
 * with a gradient of rows only those rows are changed, and their means.
 *
 * @param rate the learning rate; 1e-4 is usual
 * @param beta1 the share of the mean in the direction, in [0, 1)
 * @param beta2 decay of the mean, in [0, 1)
 * @param penalties none until told otherwise
 */
public record Lion(double rate, double beta1, double beta2, Penalties penalties)
    implements KernelRule<Lion> {

  /** Checks the settings. */
  public Lion {
    Optimizer.checkRate(rate);
    Optimizer.checkDecay("beta1", beta1);
    Optimizer.checkDecay("beta2", beta2);
  }

  /** Lion with beta1 0.9 and beta2 0.99. */
  public static Lion rate(double rate) {
    return new Lion(rate, 0.9, 0.99, Penalties.NONE);
  }

  /** The same with other shares. */
  public Lion betas(double beta1, double beta2) {
    return new Lion(rate, beta1, beta2, penalties);
  }

  @Override
  public Lion with(Penalties penalties) {
    return new Lion(rate, beta1, beta2, penalties);
  }

  @Override
  public RuleCall call() {
    return new RuleCall(Kernel.LION, 9, "mean", null, null).momentum(beta1).decay(beta2);
  }

  @Override
  public String spec() {
    return "lion";
  }
}
