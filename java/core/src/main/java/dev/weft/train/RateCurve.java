// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link RateFinder} saw: the loss by learning rate, and the rate that it suggests, which is
 * where the loss fell fastest: the steepest point of the smoothed curve over the logarithm of the
 * rate, on its way down to its least value.
 *
 * @param start the loss before the first update
 * @param points rates as they grew, with the loss after the update at each
 * @param ended why the test ended, as a sentence without a full stop
 * @param suggestion a rate to train with; empty where the curve shows none
 * @param why why it is that rate, or why there is none, as a sentence without a full stop
 */
public record RateCurve(
    double start, List<Point> points, String ended, OptionalDouble suggestion, String why) {
  private static final int LEAST_POINTS = 10;
  // of 100 curves of noise alone, the least of one is so many deviations below its first losses
  private static final double DEVIATIONS = 5;
  private static final int LEAST_CHANGES = 20;
  private static final double LEAST_FALL = 1e-6; // of the loss: float32 rounds by less
  private static final double BEGUN = 0.1; // of the fall: before it a slope may be noise

  /**
   * A rate that was tried.
   *
   * @param loss of the batch behind the update at this rate
   * @param smoothed the mean of the losses around it, weighted by a normal curve whose deviation is
   *     a fiftieth of the test
   */
  public record Point(double rate, double loss, double smoothed) {}

  /** Copies the list. */
  public RateCurve {
    points = List.copyOf(points);
  }

  /** The point of the least smoothed loss; null where there is no point. */
  public @Nullable Point least() {
    return points.isEmpty() ? null : points.get(least(smoothed(points)));
  }

  private static double[] smoothed(List<Point> points) {
    return points.stream().mapToDouble(Point::smoothed).toArray();
  }

  private static int least(double[] values) {
    int least = 0;
    for (int i = 1; i < values.length; i++) {
      least = values[i] < values[least] ? i : least;
    }
    return least;
  }

  /**
   * Looks at what was measured.
   *
   * @param updates as many as the test was to have
   * @param isCut whether the test ended before its last rate because the loss grew
   */
  static RateCurve of(
      double start, double[] rates, double[] losses, int updates, boolean isCut, String ended) {
    double width = Math.max(1, updates / 50.0);
    double[] smoothed = smoothed(losses, width);
    List<Point> points = new ArrayList<>();
    for (int i = 0; i < rates.length; i++) {
      points.add(new Point(rates[i], losses[i], smoothed[i]));
    }
    if (rates.length < LEAST_POINTS) {
      return none(
          start,
          points,
          ended,
          isCut
              ? format("%s: begin with a smaller rate", ended)
              : format("%s: %d rates show no slope", ended, rates.length));
    }
    int least = least(smoothed);
    int few = Math.clamp(rates.length / 10, 1, Math.max(1, least)); // before it rises
    double level = Arrays.stream(losses, 0, few).average().orElseThrow();
    double fall = level - smoothed[least];
    double noise = noise(losses, least) / Math.sqrt(2 * Math.sqrt(Math.PI) * width);
    if (!(fall > Math.max(DEVIATIONS * noise, LEAST_FALL * Math.abs(level)))) {
      return none(
          start,
          points,
          ended,
          format(
              "the loss did not fall by more than its noise at any rate from %.3g to %.3g: it was"
                  + " %.4g at the first rates and at its least %.4g",
              rates[0], rates[rates.length - 1], level, smoothed[least]));
    }
    int steepest = steepest(smoothed, least, level - BEGUN * fall);
    double edge = 3 * width; // as far as the smoothing misses neighbours
    if (steepest <= edge) {
      return none(
          start,
          points,
          ended,
          format("the loss fell fastest at the smallest rates: begin below %.3g", rates[0]));
    }
    if (!isCut && steepest >= rates.length - 1 - edge) {
      return none(
          start,
          points,
          ended,
          format(
              "the loss fell fastest at the largest rates that were tried: go on above %.3g",
              rates[rates.length - 1]));
    }
    return new RateCurve(
        start,
        points,
        ended,
        OptionalDouble.of(rates[steepest]),
        format(
            "the loss fell fastest there, on its way from %.4g to its least, %.4g, at %.3g; a tenth"
                + " of that rate, %.3g, is the careful choice",
            level, smoothed[least], rates[least], rates[least] / 10));
  }

  private static RateCurve none(double start, List<Point> points, String ended, String why) {
    return new RateCurve(start, points, ended, OptionalDouble.empty(), why);
  }

  private static double[] smoothed(double[] losses, double width) {
    double[] smoothed = new double[losses.length];
    double[] near = new double[losses.length]; // the weight of a loss so many places away
    Arrays.setAll(near, away -> Math.exp(-away * (double) away / (2 * width * width)));
    for (int i = 0; i < losses.length; i++) {
      double sum = 0;
      double weights = 0;
      for (int j = 0; j < losses.length; j++) {
        double weight = near[Math.abs(i - j)];
        sum += weight * losses[j];
        weights += weight;
      }
      smoothed[i] = sum / weights;
    }
    return smoothed;
  }

  /** The deviation of losses from batch to batch, by the median of their changes. */
  private static double noise(double[] losses, int end) {
    double[] changes = new double[Math.min(losses.length - 1, Math.max(LEAST_CHANGES, end))];
    for (int i = 0; i < changes.length; i++) {
      changes[i] = Math.abs(losses[i + 1] - losses[i]);
    }
    Arrays.sort(changes);
    // half of the normal values lie within 0.6745, and a difference has the root of 2 of it
    return changes[changes.length / 2] / (0.6745 * Math.sqrt(2));
  }

  /**
   * Where it falls fastest between the last place that is not below {@code begun} and its least.
   */
  private static int steepest(double[] smoothed, int least, double begun) {
    int from = least;
    while (from > 0 && smoothed[from] < begun) {
      from--;
    }
    int steepest = least;
    double slope = 0;
    for (int i = from; i <= least; i++) {
      int left = Math.max(0, i - 1);
      int right = Math.min(smoothed.length - 1, i + 1);
      double here = (smoothed[right] - smoothed[left]) / (right - left);
      if (here < slope) {
        slope = here;
        steepest = i;
      }
    }
    return steepest;
  }
}
