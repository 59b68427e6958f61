// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import static dev.weft.format.Format.format;

/**
 * One cycle of the learning rate: it rises from a small share of the optimizer's rate to all of it
 * over the first part of the epochs, and falls to almost nothing over the rest, while momentum
 * falls and rises again (Smith 2018, A disciplined approach to neural network hyper-parameters).
 * The settings are those of PyTorch's {@code OneCycleLR}, of two phases: its {@code max_lr} is the
 * optimizer's rate, {@code 1 / div_factor} is {@code first}, and {@code 1 / (div_factor
 * final_div_factor)} is {@code last}.
 *
 * <pre>{@code
 * OneCycle cycle = Schedule.oneCycle(20).rise(0.25);
 * trainer.optimizer(Sgd.rate(0.5).momentum(0.95)).schedule(cycle);
 * }</pre>
 *
 * <p>From a to b along a line is a + (b - a) t, along half a cosine a + (b - a) (1 - cos(pi t)) /
 * 2, for t from 0 to 1 in each phase. The least rate is reached where the epochs are over, which is
 * in the update behind their last one; PyTorch, which counts updates from 0 to {@code total_steps -
 * 1}, has both ends one update earlier.
 *
 * @param epochs how long the cycle is; after it the factor stays the last one
 * @param rise the share of the epochs in which the rate rises, in (0, 1)
 * @param first the factor of the first update, in (0, 1]
 * @param last the factor at the end, in [0, 1]
 * @param course the way between them
 */
public record OneCycle(double epochs, double rise, double first, double last, Course course)
    implements Schedule {

  /** The way from one rate to another. */
  public enum Course {
    /** Half a cosine: slow, fast, slow. */
    COSINE,
    /** A straight line, as Smith had it. */
    LINEAR
  }

  /**
   * Checks the settings.
   *
   * @throws IllegalArgumentException that names the one that is none
   */
  public OneCycle {
    if (!(epochs > 0) || Double.isInfinite(epochs)) {
      throw new IllegalArgumentException(
          format("a schedule's epochs must be positive and finite, not %s", epochs));
    }
    if (!(rise > 0 && rise < 1)) {
      throw new IllegalArgumentException(
          format("a rate rises over a share of the cycle in (0, 1), not %s", rise));
    }
    if (!(first > 0 && first <= 1) || !(last >= 0 && last <= 1)) {
      throw new IllegalArgumentException(
          format(
              "a cycle begins with a factor in (0, 1] and ends with one in [0, 1], not with %s and"
                  + " %s",
              first, last));
    }
  }

  /** The cycle that PyTorch has unless told otherwise. */
  static OneCycle over(double epochs) {
    return new OneCycle(epochs, 0.3, 1 / 25.0, 1 / 25e4, Course.COSINE);
  }

  /** The same with another share of the epochs in which the rate rises: 0.3 unless told. */
  public OneCycle rise(double share) {
    return new OneCycle(epochs, share, first, last, course);
  }

  /** The same with another first factor: 1/25 unless told. */
  public OneCycle first(double factor) {
    return new OneCycle(epochs, rise, factor, last, course);
  }

  /** The same with another factor at the end: 1/250,000 unless told. */
  public OneCycle last(double factor) {
    return new OneCycle(epochs, rise, first, factor, course);
  }

  /** The same along straight lines. */
  public OneCycle linear() {
    return new OneCycle(epochs, rise, first, last, Course.LINEAR);
  }

  @Override
  public double factor(long update, double epochs) {
    return between(epochs, first, 1, last);
  }

  /**
   * The partner for momentum: from the optimizer's own down to a smaller one where the rate is
   * largest, and back, as the factors 1, least and 1. PyTorch's 0.95, 0.85 and 0.95 are the factor
   * 0.85 / 0.95 of a momentum of 0.95.
   *
   * @throws IllegalArgumentException where it is outside [0, 1)
   */
  public Schedule momentum(double least) {
    Optimizer.checkDecay("the least factor of the momentum", least);
    return (update, done) -> between(done, 1, least, 1);
  }

  private double between(double done, double from, double top, double to) {
    double peak = rise * epochs;
    return done < peak
        ? mix(from, top, done / peak)
        : mix(top, to, Math.min(1, (done - peak) / (epochs - peak)));
  }

  private double mix(double a, double b, double share) {
    double way = course == Course.LINEAR ? share : (1 - Math.cos(Math.PI * share)) / 2;
    return a + (b - a) * way;
  }
}
