// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

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
  public Running start(Tensor values, Tensor gradients, Tensor copy) {
    Optimizer.checkMemory(values, gradients, copy);
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
        values
            .device()
            .run(
                Kernel.ADAM,
                values.dtype().precision(),
                new Arguments.Adam(
                    values.address(),
                    gradients.address(),
                    first.address(),
                    second.address(),
                    copy == null ? 0 : copy.address(),
                    state.address(),
                    values.elements(),
                    beta1,
                    beta2,
                    epsilon,
                    l2,
                    weightDecay));
        Optimizer.noteStep(values, copy);
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

  @Override
  public String spec() {
    return weightDecay == 0 ? "adam" : "adamw";
  }
}
