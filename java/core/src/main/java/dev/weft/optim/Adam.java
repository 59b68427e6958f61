// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import dev.weft.device.Kernel;

/**
 * Adam (Kingma and Ba 2015), AdamW (Loshchilov and Hutter 2019) and AMSGrad (Reddi et al. 2018).
 * With g = gradient + l2 value: m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g²; value -=
 * rate (m̂ / (√v̂ + epsilon) + weightDecay value), m̂ and v̂ corrected for their start at zero.
 * AMSGrad divides by the largest v so far, which is corrected as v is, as in PyTorch.
 *
 * <p>L1 is a proximal step after that: value = sign(value) max(0, |value| - rate l1), which makes
 * values exactly 0. It is decoupled, as weight decay is: a value stays 0 where |m̂| ≤ l1 (√v̂ +
 * epsilon), whatever the gradient's size. So it selects by how steady a gradient is, and does not
 * end at the minimum of loss + l1 Σ |value|, as {@link Sgd} does, and as Adam over a loss with the
 * penalty in it (Keras' {@code regularizers.l1}), which in turn makes no value exactly 0. The two
 * agree where all √v̂ are 1.
 *
 * <p>Of a table with a gradient of rows only those rows are changed, and their moments, corrected
 * by the number of all steps: PyTorch's SparseAdam.
 *
 * {@snippet file="Examples.java" region="adam"}
 *
 * @param rate the learning rate
 * @param beta1 decay of the mean, in [0, 1)
 * @param beta2 decay of the mean square, in [0, 1)
 * @param epsilon keeps the quotient finite
 * @param divisor which mean square the mean is divided by
 * @param penalties none until told otherwise; decay makes it AdamW
 */
public record Adam(
    double rate, double beta1, double beta2, double epsilon, Divisor divisor, Penalties penalties)
    implements KernelRule<Adam> {

  /** Which mean square Adam divides by. */
  public enum Divisor {
    /** The mean square as it is. */
    MEAN_SQUARE,
    /** The largest mean square so far: AMSGrad. */
    LARGEST_MEAN_SQUARE
  }

  /** Checks the settings. */
  public Adam {
    Optimizer.checkRate(rate);
    Optimizer.checkDecay("beta1", beta1);
    Optimizer.checkDecay("beta2", beta2);
    Optimizer.checkNotNegative("epsilon", epsilon);
  }

  /** Adam with beta1 0.9, beta2 0.999 and epsilon 1e-8. */
  public static Adam rate(double rate) {
    return new Adam(rate, 0.9, 0.999, 1e-8, Divisor.MEAN_SQUARE, Penalties.NONE);
  }

  /** The same with other decays. */
  public Adam betas(double beta1, double beta2) {
    return new Adam(rate, beta1, beta2, epsilon, divisor, penalties);
  }

  /** The same with another epsilon. */
  public Adam epsilon(double epsilon) {
    return new Adam(rate, beta1, beta2, epsilon, divisor, penalties);
  }

  /** The same over the largest mean square so far. */
  public Adam amsgrad() {
    return new Adam(rate, beta1, beta2, epsilon, Divisor.LARGEST_MEAN_SQUARE, penalties);
  }

  @Override
  public Adam with(Penalties penalties) {
    return new Adam(rate, beta1, beta2, epsilon, divisor, penalties);
  }

  @Override
  public RuleCall call() {
    boolean keeps = divisor == Divisor.LARGEST_MEAN_SQUARE;
    return new RuleCall(Kernel.ADAM, keeps ? 14 : 13, "first", "second", keeps ? "largest" : null)
        .momentum(beta1)
        .decay(beta2)
        .epsilon(epsilon);
  }

  @Override
  public String spec() {
    return divisor == Divisor.LARGEST_MEAN_SQUARE
        ? "amsgrad"
        : penalties.weightDecay() == 0 ? "adam" : "adamw";
  }
}
