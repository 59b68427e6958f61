// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import static dev.weft.format.Format.format;

import dev.weft.Engine;
import dev.weft.RowGradient;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import java.util.List;

/**
 * Stochastic gradient descent. With g = gradient + l2 value: velocity = momentum velocity + (1 -
 * dampening) g; value -= rate (velocity + weightDecay value), or with Nesterov value -= rate (g +
 * momentum velocity + weightDecay value). Dampening equal to momentum is the moving-average form.
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
 * @param l1 the factor of an L1 penalty, which brings values to exactly 0
 * @param l2 the factor of an L2 penalty's gradient
 * @param weightDecay decoupled weight decay, outside of the velocity (Loshchilov and Hutter 2019)
 * @param look where the gradient step starts from
 */
public record Sgd(
    double rate,
    double momentum,
    double dampening,
    double l1,
    double l2,
    double weightDecay,
    Look look)
    implements Optimizer {
  private static final String VELOCITY = "velocity";

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
    Optimizer.checkNotNegative("l1", l1);
    Optimizer.checkNotNegative("l2", l2);
    Optimizer.checkNotNegative("weight decay", weightDecay);
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
    return new Sgd(rate, 0, 0, 0, 0, 0, Look.CLASSICAL);
  }

  /** The same with momentum: Δ = momentum Δ + g. */
  public Sgd momentum(double momentum) {
    return new Sgd(rate, momentum, dampening, l1, l2, weightDecay, look);
  }

  /** The same in the moving-average form: Δ = momentum Δ + (1 - dampening) g. */
  public Sgd dampening(double dampening) {
    return new Sgd(rate, momentum, dampening, l1, l2, weightDecay, look);
  }

  /** The same with an L1 penalty of l1 Σ |value|, by a proximal step. */
  public Sgd l1(double l1) {
    return new Sgd(rate, momentum, dampening, l1, l2, weightDecay, look);
  }

  /** The same with an L2 penalty of l2/2 |value|². */
  public Sgd l2(double l2) {
    return new Sgd(rate, momentum, dampening, l1, l2, weightDecay, look);
  }

  /** The same with decoupled weight decay. */
  public Sgd weightDecay(double weightDecay) {
    return new Sgd(rate, momentum, dampening, l1, l2, weightDecay, look);
  }

  /** The same with Nesterov's momentum. */
  public Sgd nesterov() {
    return new Sgd(rate, momentum, dampening, l1, l2, weightDecay, Look.NESTEROV);
  }

  @Override
  public List<String> memory() {
    return momentum == 0 ? List.of() : List.of(VELOCITY);
  }

  @Override
  public boolean takesRows() {
    return true;
  }

  @Override
  public boolean isOneKernel() {
    return true;
  }

  @Override
  public void update(Update u) {
    Tensor values = u.values();
    long velocity = momentum == 0 ? 0 : Engine.address(u.memory(VELOCITY));
    if (!u.isTable()) {
      u.run(
          Kernel.SGD,
          new Arguments.Sgd(
              Engine.address(values),
              Engine.address(u.rawGradient()),
              velocity,
              u.copyAddress(),
              u.stateAddress(),
              u.squaresAddress(),
              values.elements(),
              u.squaresCount(),
              momentum,
              dampening,
              threshold(),
              l2,
              weightDecay,
              look == Look.NESTEROV,
              u.rateFactor(),
              u.gradientScale(),
              u.maxNorm(),
              u.gradientLimit(),
              u.updateLimit()));
      return;
    }
    RowGradient gradient = u.rows();
    u.run(
        Kernel.SGD_ROWS,
        new Arguments.SgdRows(
            Engine.address(values),
            velocity,
            u.copyAddress(),
            u.stateAddress(),
            Engine.address(gradient.sorted()),
            Engine.address(gradient.sums()),
            u.squaresAddress(),
            gradient.rows(),
            gradient.cols(),
            values.shape().size(0),
            u.squaresCount(),
            momentum,
            dampening,
            threshold(),
            l2,
            weightDecay,
            look == Look.NESTEROV,
            u.rateFactor(),
            u.gradientScale(),
            u.maxNorm(),
            u.gradientLimit(),
            u.updateLimit()));
  }

  /** What L1 takes of each value at rate 1. */
  private double threshold() {
    return momentum == 0 ? l1 : l1 * (1 - dampening) / (1 - momentum);
  }

  @Override
  public String spec() {
    return momentum == 0 ? "sgd" : look == Look.NESTEROV ? "nesterov" : "momentum";
  }
}
