// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import dev.weft.Engine;
import dev.weft.RowGradient;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import java.util.List;

/**
 * Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019). With g = gradient + l2 value: m
 * = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g²; value -= rate (m̂ / (√v̂ + epsilon) +
 * weightDecay value), m̂ and v̂ corrected for their start at zero.
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
 * @param l1 the factor of a decoupled L1 penalty, which brings values to exactly 0
 * @param l2 the factor of an L2 penalty's gradient
 * @param weightDecay decoupled weight decay: what makes it AdamW
 */
public record Adam(
    double rate,
    double beta1,
    double beta2,
    double epsilon,
    double l1,
    double l2,
    double weightDecay)
    implements Optimizer {
  private static final String FIRST = "first";
  private static final String SECOND = "second";

  /** Checks the settings. */
  public Adam {
    Optimizer.checkRate(rate);
    Optimizer.checkDecay("beta1", beta1);
    Optimizer.checkDecay("beta2", beta2);
    Optimizer.checkNotNegative("epsilon", epsilon);
    Optimizer.checkNotNegative("l1", l1);
    Optimizer.checkNotNegative("l2", l2);
    Optimizer.checkNotNegative("weight decay", weightDecay);
  }

  /** Adam with beta1 0.9, beta2 0.999 and epsilon 1e-8. */
  public static Adam rate(double rate) {
    return new Adam(rate, 0.9, 0.999, 1e-8, 0, 0, 0);
  }

  /** The same with other decays. */
  public Adam betas(double beta1, double beta2) {
    return new Adam(rate, beta1, beta2, epsilon, l1, l2, weightDecay);
  }

  /** The same with decoupled weight decay: AdamW. */
  public Adam weightDecay(double weightDecay) {
    return new Adam(rate, beta1, beta2, epsilon, l1, l2, weightDecay);
  }

  /** The same with a decoupled L1 penalty, by a proximal step. */
  public Adam l1(double l1) {
    return new Adam(rate, beta1, beta2, epsilon, l1, l2, weightDecay);
  }

  /** The same with an L2 penalty of l2/2 |value|². */
  public Adam l2(double l2) {
    return new Adam(rate, beta1, beta2, epsilon, l1, l2, weightDecay);
  }

  @Override
  public List<String> memory() {
    return List.of(FIRST, SECOND);
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
    if (!u.isTable()) {
      u.run(
          Kernel.ADAM,
          new Arguments.Adam(
              Engine.address(values),
              Engine.address(u.rawGradient()),
              Engine.address(u.memory(FIRST)),
              Engine.address(u.memory(SECOND)),
              u.copyAddress(),
              u.stateAddress(),
              u.squaresAddress(),
              values.elements(),
              u.squaresCount(),
              beta1,
              beta2,
              epsilon,
              l1,
              l2,
              weightDecay,
              u.rateFactor(),
              u.gradientScale(),
              u.maxNorm(),
              u.gradientLimit(),
              u.updateLimit()));
      return;
    }
    RowGradient gradient = u.rows();
    u.run(
        Kernel.ADAM_ROWS,
        new Arguments.AdamRows(
            Engine.address(values),
            Engine.address(u.memory(FIRST)),
            Engine.address(u.memory(SECOND)),
            u.copyAddress(),
            u.stateAddress(),
            Engine.address(gradient.sorted()),
            Engine.address(gradient.sums()),
            u.squaresAddress(),
            gradient.rows(),
            gradient.cols(),
            values.shape().size(0),
            u.squaresCount(),
            beta1,
            beta2,
            epsilon,
            l1,
            l2,
            weightDecay,
            u.rateFactor(),
            u.gradientScale(),
            u.maxNorm(),
            u.gradientLimit(),
            u.updateLimit()));
  }

  @Override
  public String spec() {
    return weightDecay == 0 ? "adam" : "adamw";
  }
}
