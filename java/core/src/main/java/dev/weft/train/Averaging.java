// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

/**
 * How an average of the weights is kept beside training, which goes on with its own (Polyak and
 * Juditsky 1992). {@link Trainer#averaging} says what the average is used for.
 *
 * {@snippet file="Examples.java" region="averaging"}
 */
public sealed interface Averaging {

  /**
   * An exponential moving average: after each update average = decay average + (1 - decay) weights;
   * the first update gives it the weights as they are (PyTorch's {@code AveragedModel} with {@code
   * get_ema_multi_avg_fn}, Keras' {@code use_ema}, timm's {@code ModelEma}). Buffers, such as the
   * running values of batch norm, are averaged along.
   *
   * @param decay what is kept of the average in an update, in (0, 1): about the last 1 / (1 -
   *     decay) updates count, 0.999 is usual
   */
  record Exponential(double decay) implements Averaging {
    /** Checks the decay. */
    public Exponential {
      if (!(decay > 0 && decay < 1)) {
        throw new IllegalArgumentException(
            format("the decay of an average must be in (0, 1), not %s: 0.999 is usual", decay));
      }
    }

    @Override
    public String spec() {
      return format("ema(%s)", decay);
    }
  }

  /**
   * Stochastic weight averaging (Izmailov et al. 2018): the mean of the weights as they are at the
   * end of each epoch, from one on; until that has ended there is no average. Learning rates that
   * stay high or go up and down leave most to average. The running values of batch norm are found
   * anew for the average, by a pass over the training data in training mode, dropout included;
   * other buffers are as training left them.
   *
   * @param fromEpoch the first epoch whose weights count, from 1
   */
  record Stochastic(long fromEpoch) implements Averaging {
    /** Checks the epoch. */
    public Stochastic {
      if (fromEpoch < 1) {
        throw new IllegalArgumentException(
            format("epochs are counted from 1: an average cannot begin with %d", fromEpoch));
      }
    }

    @Override
    public String spec() {
      return format("swa(%d)", fromEpoch);
    }
  }

  /**
   * An {@link Exponential} moving average.
   *
   * @throws IllegalArgumentException where the decay is outside (0, 1)
   */
  static Averaging exponential(double decay) {
    return new Exponential(decay);
  }

  /**
   * {@link Stochastic} weight averaging from the end of this epoch on, counted from 1.
   *
   * @throws IllegalArgumentException where it is less than 1
   */
  static Averaging stochastic(long fromEpoch) {
    return new Stochastic(fromEpoch);
  }

  /** How it is written. */
  String spec();
}
