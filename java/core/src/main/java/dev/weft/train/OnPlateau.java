// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import dev.weft.train.EarlyStopping.Direction;

/**
 * A listener that lowers the learning rate when a metric has not become better for some epochs:
 * what PyTorch and Keras call {@code ReduceLROnPlateau}.
 *
 * <pre>{@code
 * trainer.listener(OnPlateau.lowest("loss").patience(5).factor(0.5).atLeast(1e-5));
 * }</pre>
 *
 * <p>It watches as {@link EarlyStopping} does: the metric on the unseen data where there are such,
 * else on the training data, and a value counts that is better than the last one that counted by
 * more than {@link #minChange}; NaN never does. After {@code patience} epochs in a row without one
 * the rate is multiplied by the factor, from the next epoch on; then {@link #cooldown} epochs are
 * not counted, in which values may still become better. Patience of n is Keras' n, and {@code n -
 * 1} in PyTorch; a cooldown of n is PyTorch's n, and {@code n + 1} in Keras.
 *
 * <p>What it lowers is {@link TrainingRun#rate}, which a schedule's factor is for, so that both go
 * together; {@link ConsoleListener} tells the new rate with the first epoch that has it. It is for
 * one trainer, and goes on with it: fitting again continues the count, an epoch that was cut short
 * counts when the rest of it is done, and {@link Trainer#reset} begins anew.
 */
public final class OnPlateau implements Listener {
  private final String metric;
  private final Direction direction;
  private final int patience;
  private final double minChange;
  private final int cooldown;
  private final double factor;
  private final double least;

  private double improved = Double.NaN; // the value that counted last
  private int waited;
  private int resting; // epochs that are not counted

  private OnPlateau(
      String metric,
      Direction direction,
      int patience,
      double minChange,
      int cooldown,
      double factor,
      double least) {
    EarlyStopping.check(patience, minChange);
    if (cooldown < 0) {
      throw new IllegalArgumentException(
          format("a cooldown is a number of epochs from 0 on, not %d", cooldown));
    }
    if (!(factor > 0 && factor < 1)) {
      throw new IllegalArgumentException(
          format("a factor that lowers the rate is in (0, 1), not %s", factor));
    }
    this.metric = metric;
    this.direction = direction;
    this.patience = patience;
    this.minChange = minChange;
    this.cooldown = cooldown;
    this.factor = factor;
    this.least = least;
  }

  /** Watches a metric of which lower is better; patience 10, a tenth, any improvement counts. */
  public static OnPlateau lowest(String metric) {
    return new OnPlateau(metric, Direction.LOWEST, 10, 0, 0, 0.1, 0);
  }

  /** Watches a metric of which higher is better; patience 10, a tenth, any improvement counts. */
  public static OnPlateau highest(String metric) {
    return new OnPlateau(metric, Direction.HIGHEST, 10, 0, 0, 0.1, 0);
  }

  /**
   * The same with another patience: so many epochs in a row without improvement lower the rate; the
   * first one does where it is 0 or 1.
   *
   * @throws IllegalArgumentException where it is negative
   */
  public OnPlateau patience(int epochs) {
    return new OnPlateau(metric, direction, epochs, minChange, cooldown, factor, least);
  }

  /**
   * The same with another change by which a value must be better to count: PyTorch's {@code
   * threshold} of mode {@code abs}, Keras' {@code min_delta}.
   *
   * @throws IllegalArgumentException where it is negative or not finite
   */
  public OnPlateau minChange(double change) {
    return new OnPlateau(metric, direction, patience, change, cooldown, factor, least);
  }

  /**
   * The same with so many epochs behind each new rate that are not counted.
   *
   * @throws IllegalArgumentException where they are negative
   */
  public OnPlateau cooldown(int epochs) {
    return new OnPlateau(metric, direction, patience, minChange, epochs, factor, least);
  }

  /**
   * The same with another factor of the rate.
   *
   * @throws IllegalArgumentException where it is outside (0, 1)
   */
  public OnPlateau factor(double factor) {
    return new OnPlateau(metric, direction, patience, minChange, cooldown, factor, least);
  }

  /**
   * The same with a rate below which it does not go; one that is below already stays as it is.
   *
   * @throws IllegalArgumentException where it is negative, NaN or infinite
   */
  public OnPlateau atLeast(double rate) {
    return new OnPlateau(
        metric, direction, patience, minChange, cooldown, factor, checkedRate(rate));
  }

  private static double checkedRate(double rate) {
    if (!(rate >= 0) || Double.isInfinite(rate)) {
      throw new IllegalArgumentException(
          format("a least learning rate must be finite and at least 0, not %s", rate));
    }
    return rate;
  }

  /**
   * Begins anew where the trainer does.
   *
   * @throws IllegalArgumentException where the metric is not measured
   */
  @Override
  public void onStart(TrainingRun run) {
    run.checkWatched("a lower rate on a plateau", metric);
    if (run.position().equals(Position.START)) {
      improved = Double.NaN;
      waited = 0;
      resting = 0;
    }
  }

  @Override
  public void onEpoch(TrainingRun run, History.Epoch epoch) {
    if (run.stepOfEpoch() < run.stepsPerEpoch()) {
      return;
    }
    double value = epoch.watched().metric(metric);
    if (direction.isBetter(value, improved, minChange)) {
      improved = value;
      waited = 0;
    } else {
      waited++;
    }
    if (resting > 0) {
      resting--;
      waited = 0;
    } else if (waited >= Math.max(1, patience) && run.rate() > least) {
      run.rate(Math.max(least, run.rate() * factor));
      waited = 0;
      resting = cooldown;
    }
  }
}
