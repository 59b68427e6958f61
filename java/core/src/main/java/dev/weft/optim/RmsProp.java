// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import dev.weft.device.Kernel;

/**
 * RMSProp (Tieleman and Hinton 2012): PyTorch's RMSprop. With g = gradient + l2 value: squares =
 * alpha squares + (1 - alpha) g²; d = g / (√squares + epsilon); value -= rate (d + weightDecay
 * value). Centred (Graves 2013) it divides by √(squares - centre²) + epsilon, centre = alpha centre
 * + (1 - alpha) g. With momentum d becomes scaled_velocity = momentum scaled_velocity + d.
 *
 * <p>L1 takes rate l1 of each value after that, with momentum rate l1 / (1 - momentum), decoupled
 * as {@link Adam}'s. Of a table with a gradient of rows only those rows are changed, and their
 * memories: a row that rests forgets nothing.
 *
 * @param rate the learning rate
 * @param alpha decay of the mean square, in [0, 1)
 * @param epsilon keeps the quotient finite
 * @param momentum in [0, 1); 0 is none
 * @param moment what gradients are divided by
 * @param penalties none until told otherwise
 */
public record RmsProp(
    double rate, double alpha, double epsilon, double momentum, Moment moment, Penalties penalties)
    implements KernelRule<RmsProp> {

  /** What RMSProp divides gradients by the root of. */
  public enum Moment {
    /** The mean square. */
    MEAN_SQUARE,
    /** The mean square less the square of the mean. */
    CENTRED
  }

  /** Checks the settings. */
  public RmsProp {
    Optimizer.checkRate(rate);
    Optimizer.checkDecay("alpha", alpha);
    Optimizer.checkNotNegative("epsilon", epsilon);
    Optimizer.checkDecay("momentum", momentum);
  }

  /** RMSProp with alpha 0.99 and epsilon 1e-8, without momentum. */
  public static RmsProp rate(double rate) {
    return new RmsProp(rate, 0.99, 1e-8, 0, Moment.MEAN_SQUARE, Penalties.NONE);
  }

  /** The same with another decay of the mean square. */
  public RmsProp alpha(double alpha) {
    return new RmsProp(rate, alpha, epsilon, momentum, moment, penalties);
  }

  /** The same with another epsilon. */
  public RmsProp epsilon(double epsilon) {
    return new RmsProp(rate, alpha, epsilon, momentum, moment, penalties);
  }

  /** The same with momentum. */
  public RmsProp momentum(double momentum) {
    return new RmsProp(rate, alpha, epsilon, momentum, moment, penalties);
  }

  /** The same, centred. */
  public RmsProp centred() {
    return new RmsProp(rate, alpha, epsilon, momentum, Moment.CENTRED, penalties);
  }

  @Override
  public RmsProp with(Penalties penalties) {
    return new RmsProp(rate, alpha, epsilon, momentum, moment, penalties);
  }

  @Override
  public RuleCall call() {
    boolean moves = momentum != 0;
    boolean centred = moment == Moment.CENTRED;
    return new RuleCall(
            Kernel.RMSPROP,
            9 + (moves ? 2 : 0) + (centred ? 5 : 0),
            moves ? "scaled_velocity" : null,
            "squares",
            centred ? "centre" : null)
        .momentum(momentum)
        .decay(alpha)
        .epsilon(epsilon);
  }

  @Override
  public String spec() {
    return "rmsprop";
  }
}
