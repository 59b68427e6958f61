// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import static dev.weft.format.Format.format;

import dev.weft.device.Kernel;

/**
 * Stochastic gradient descent. With g = gradient + l2 value: velocity = momentum velocity + (1 -
 * dampening) g; value -= rate (velocity + weightDecay value), or with Nesterov value -= rate (g +
 * momentum velocity + weightDecay value). Dampening equal to momentum is the moving-average form.
 * PyTorch's SGD, which leaves dampening out of the first step.
 *
 * <p>L1 is a proximal step after that: value = sign(value) max(0, |value| - rate l1 c), where c, 1
 * without momentum and else (1 - dampening) / (1 - momentum), is what the velocity makes of a
 * gradient that stays. So descent ends where loss + l1 Σ |value| is least, as scikit-learn's Lasso
 * does, with values that are exactly 0; without momentum it is ISTA (Daubechies et al. 2004). A
 * penalty in the loss itself, as Keras' {@code regularizers.l1}, adds l1 sign(value) to the
 * gradient: the same step for values that do not come near 0, and the same minimum as the rate
 * falls; but a value whose minimum is 0 swings around it by rate l1 and never rests there.
 *
 * <p>Of a table with a gradient of rows only those rows are changed: without momentum, penalty and
 * decay that is descent over the dense gradient, with them it is lazy, as they act on a row in the
 * steps alone that use it.
 *
 * {@snippet file="Examples.java" region="sgd"}
 *
 * @param rate the learning rate
 * @param momentum in [0, 1); 0 is plain descent
 * @param dampening in [0, 1]; without momentum it has no effect, as in PyTorch
 * @param look where the gradient step starts from
 * @param penalties none until told otherwise
 */
public record Sgd(double rate, double momentum, double dampening, Look look, Penalties penalties)
    implements KernelRule<Sgd> {

  /** Classical momentum or Nesterov's. */
  public enum Look {
    /** The gradient step starts from where the parameters are. */
    CLASSICAL,
    /** The gradient step starts from where the velocity would bring the parameters. */
    NESTEROV
  }

  /** Checks the settings. */
  public Sgd {
    Optimizer.checkRate(rate);
    Optimizer.checkDecay("momentum", momentum);
    if (!(dampening >= 0 && dampening <= 1)) {
      throw new IllegalArgumentException("dampening must be in [0, 1], not " + dampening);
    }
    if (look == Look.NESTEROV && (momentum == 0 || dampening != 0)) {
      throw new IllegalArgumentException(
          format(
              "Nesterov's momentum needs momentum above 0 and no dampening, not %s and %s",
              momentum, dampening));
    }
  }

  /** Plain descent at this learning rate. */
  public static Sgd rate(double rate) {
    return new Sgd(rate, 0, 0, Look.CLASSICAL, Penalties.NONE);
  }

  /** The same with momentum: Δ = momentum Δ + g. */
  public Sgd momentum(double momentum) {
    return new Sgd(rate, momentum, dampening, look, penalties);
  }

  /** The same in the moving-average form: Δ = momentum Δ + (1 - dampening) g. */
  public Sgd dampening(double dampening) {
    return new Sgd(rate, momentum, dampening, look, penalties);
  }

  /** The same with Nesterov's momentum. */
  public Sgd nesterov() {
    return new Sgd(rate, momentum, dampening, Look.NESTEROV, penalties);
  }

  @Override
  public Sgd with(Penalties penalties) {
    return new Sgd(rate, momentum, dampening, look, penalties);
  }

  @Override
  public RuleCall call() {
    boolean moves = momentum != 0;
    boolean ahead = look == Look.NESTEROV;
    int operations = 2 + (moves ? 2 : 0) + (ahead ? 2 : 0);
    return new RuleCall(Kernel.SGD, operations, moves ? "velocity" : null, null, null)
        .momentum(momentum)
        .decay(dampening)
        .nesterov(ahead);
  }

  @Override
  public String spec() {
    return momentum == 0 ? "sgd" : look == Look.NESTEROV ? "nesterov" : "momentum";
  }
}
