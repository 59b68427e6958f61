// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import dev.weft.Engine;
import dev.weft.RowGradient;
import dev.weft.StepState;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Closing;
import dev.weft.device.Kernel;
import java.util.Map;

/**
 * Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019). With g = gradient + l2 value: m
 * = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g²; value -= rate (m̂ / (√v̂ + epsilon) +
 * weightDecay value), m̂ and v̂ corrected for their start at zero.
 *
 * <p>Of a table with a gradient of rows only those rows are changed, and their moments, corrected
 * by the number of all steps: PyTorch's SparseAdam.
 *
 * @param rate the learning rate
 * @param beta1 decay of the mean, in [0, 1)
 * @param beta2 decay of the mean square, in [0, 1)
 * @param epsilon keeps the quotient finite
 * @param l2 the factor of an L2 penalty's gradient
 * @param weightDecay decoupled weight decay: what makes it AdamW
 */
public record Adam(
    double rate, double beta1, double beta2, double epsilon, double l2, double weightDecay)
    implements Optimizer {

  /** Checks the settings. */
  public Adam {
    Optimizer.checkRate(rate);
    Optimizer.checkDecay("beta1", beta1);
    Optimizer.checkDecay("beta2", beta2);
    Optimizer.checkNotNegative("epsilon", epsilon);
    Optimizer.checkNotNegative("l2", l2);
    Optimizer.checkNotNegative("weight decay", weightDecay);
  }

  /** Adam with beta1 0.9, beta2 0.999 and epsilon 1e-8. */
  public static Adam rate(double rate) {
    return new Adam(rate, 0.9, 0.999, 1e-8, 0, 0);
  }

  /** With other decays. */
  public Adam betas(double beta1, double beta2) {
    return new Adam(rate, beta1, beta2, epsilon, l2, weightDecay);
  }

  /** With decoupled weight decay: AdamW. */
  public Adam weightDecay(double weightDecay) {
    return new Adam(rate, beta1, beta2, epsilon, l2, weightDecay);
  }

  /** With an L2 penalty of l2/2 |value|². */
  public Adam l2(double l2) {
    return new Adam(rate, beta1, beta2, epsilon, l2, weightDecay);
  }

  @Override
  public int statePerParameter() {
    return 2;
  }

  @Override
  public Running start(Target target) {
    target.check();
    Tensor values = target.values();
    Tensor first = values.device().zeros(values.dtype(), values.shape()).named("first moment");
    Tensor second;
    try {
      second = values.device().zeros(values.dtype(), values.shape()).named("second moment");
    } catch (RuntimeException e) {
      first.close();
      throw e;
    }
    return new Running() {
      @Override
      public void step(StepState state) {
        Optimizer.checkState(values, state);
        if (target.table() == null) {
          dense(target, first, second, state);
        } else if (Engine.rowGradient(target.table()) != null) {
          rows(target, Engine.rowGradient(target.table()), first, second, state);
        }
        target.noteStep();
      }

      @Override
      public Map<String, Tensor> state() {
        return Map.of("first", first, "second", second);
      }

      @Override
      public void close() {
        values.device().checkMayClose();
        Closing.all(first, second);
      }
    };
  }

  private void dense(Target target, Tensor first, Tensor second, StepState state) {
    Tensor values = target.values();
    var arguments =
        new Arguments.Adam(
            Engine.address(values),
            Engine.address(target.gradients()),
            Engine.address(first),
            Engine.address(second),
            target.copyAddress(),
            Engine.address(state),
            0,
            values.elements(),
            0,
            beta1,
            beta2,
            epsilon,
            l2,
            weightDecay,
            target.rateFactor(),
            1,
            Double.POSITIVE_INFINITY,
            Double.POSITIVE_INFINITY,
            Double.POSITIVE_INFINITY);
    Engine.run(values.device(), Kernel.ADAM, values.dtype().precision(), arguments);
  }

  private void rows(
      Target target, RowGradient gradient, Tensor first, Tensor second, StepState state) {
    Tensor values = target.values();
    var arguments =
        new Arguments.AdamRows(
            Engine.address(values),
            Engine.address(first),
            Engine.address(second),
            target.copyAddress(),
            Engine.address(state),
            Engine.address(gradient.sorted()),
            Engine.address(gradient.sums()),
            0,
            gradient.rows(),
            gradient.cols(),
            values.shape().size(0),
            0,
            beta1,
            beta2,
            epsilon,
            l2,
            weightDecay,
            target.rateFactor(),
            1,
            Double.POSITIVE_INFINITY,
            Double.POSITIVE_INFINITY,
            Double.POSITIVE_INFINITY);
    Engine.run(values.device(), Kernel.ADAM_ROWS, values.dtype().precision(), arguments);
  }

  @Override
  public String spec() {
    return weightDecay == 0 ? "adam" : "adamw";
  }
}
