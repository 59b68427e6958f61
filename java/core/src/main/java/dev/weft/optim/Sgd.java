// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import static dev.weft.format.Format.format;

import dev.weft.Engine;
import dev.weft.RowGradient;
import dev.weft.StepState;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Closing;
import dev.weft.device.Kernel;
import java.util.Map;

/**
 * Stochastic gradient descent. With g = gradient + weightDecay value: velocity = momentum velocity
 * + (1 - dampening) g; value -= rate velocity, or with Nesterov value -= rate (g + momentum
 * velocity). Dampening equal to momentum is the moving-average form.
 *
 * <p>Of a table with a gradient of rows only those rows are changed: without momentum and weight
 * decay that is descent over the dense gradient, with them it is lazy, as both act on a row in the
 * steps alone that use it.
 *
 * @param rate the learning rate
 * @param momentum in [0, 1); 0 is plain descent
 * @param dampening in [0, 1]; without momentum it has no effect, as in PyTorch
 * @param weightDecay the factor of the L2 penalty's gradient
 * @param look where the gradient step starts from
 */
public record Sgd(double rate, double momentum, double dampening, double weightDecay, Look look)
    implements Optimizer {

  /** Classical momentum or Nesterov's. */
  public enum Look {
    CLASSICAL,
    NESTEROV
  }

  /** Checks the settings. */
  public Sgd {
    Optimizer.checkRate(rate);
    Optimizer.checkDecay("momentum", momentum);
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

  /** Plain descent. */
  public static Sgd rate(double rate) {
    return new Sgd(rate, 0, 0, 0, Look.CLASSICAL);
  }

  /** With momentum: Δ = momentum Δ + g. */
  public Sgd momentum(double momentum) {
    return new Sgd(rate, momentum, dampening, weightDecay, look);
  }

  /** The moving-average form: Δ = momentum Δ + (1 - dampening) g. */
  public Sgd dampening(double dampening) {
    return new Sgd(rate, momentum, dampening, weightDecay, look);
  }

  /** With an L2 penalty of weightDecay/2 |value|². */
  public Sgd weightDecay(double weightDecay) {
    return new Sgd(rate, momentum, dampening, weightDecay, look);
  }

  /** Nesterov's momentum. */
  public Sgd nesterov() {
    return new Sgd(rate, momentum, dampening, weightDecay, Look.NESTEROV);
  }

  @Override
  public int statePerParameter() {
    return momentum == 0 ? 0 : 1;
  }

  @Override
  public Running start(Target target) {
    target.check();
    Tensor values = target.values();
    Tensor velocity =
        momentum == 0
            ? null
            : values.device().zeros(values.dtype(), values.shape()).named("velocity");
    return new Running() {
      private boolean closed;

      @Override
      public void step(StepState state) {
        if (closed) { // plain descent has no memory that would say so
          throw new IllegalStateException(format("the optimizer %s is closed", spec()));
        }
        Optimizer.checkState(values, state);
        if (target.table() == null) {
          dense(target, velocity, state);
        } else if (Engine.rowGradient(target.table()) != null) {
          rows(target, Engine.rowGradient(target.table()), velocity, state);
        }
        target.noteStep();
      }

      @Override
      public Map<String, Tensor> state() {
        return velocity == null ? Map.of() : Map.of("velocity", velocity);
      }

      @Override
      public void close() {
        values.device().checkMayClose();
        closed = true;
        Closing.all(velocity);
      }
    };
  }

  private void dense(Target target, Tensor velocity, StepState state) {
    Tensor values = target.values();
    var arguments =
        new Arguments.Sgd(
            Engine.address(values),
            Engine.address(target.gradients()),
            velocity == null ? 0 : Engine.address(velocity),
            target.copyAddress(),
            Engine.address(state),
            0,
            values.elements(),
            0,
            momentum,
            dampening,
            weightDecay,
            0,
            look == Look.NESTEROV,
            target.rateFactor(),
            1,
            Double.POSITIVE_INFINITY,
            Double.POSITIVE_INFINITY,
            Double.POSITIVE_INFINITY);
    Engine.run(values.device(), Kernel.SGD, values.dtype().precision(), arguments);
  }

  private void rows(Target target, RowGradient gradient, Tensor velocity, StepState state) {
    Tensor values = target.values();
    var arguments =
        new Arguments.SgdRows(
            Engine.address(values),
            velocity == null ? 0 : Engine.address(velocity),
            target.copyAddress(),
            Engine.address(state),
            Engine.address(gradient.sorted()),
            Engine.address(gradient.sums()),
            0,
            gradient.rows(),
            gradient.cols(),
            values.shape().size(0),
            0,
            momentum,
            dampening,
            weightDecay,
            0,
            look == Look.NESTEROV,
            target.rateFactor(),
            1,
            Double.POSITIVE_INFINITY,
            Double.POSITIVE_INFINITY,
            Double.POSITIVE_INFINITY);
    Engine.run(values.device(), Kernel.SGD_ROWS, values.dtype().precision(), arguments);
  }

  @Override
  public String spec() {
    return momentum == 0 ? "sgd" : look == Look.NESTEROV ? "nesterov" : "momentum";
  }
}
