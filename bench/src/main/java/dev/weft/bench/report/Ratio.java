// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

import static dev.weft.format.Format.format;

/**
 * How many times as long one side takes as the other.
 *
 * @param median of the turns' ratios, neighbour by neighbour
 * @param lowest of the turns
 * @param highest of the turns
 */
public record Ratio(double median, double lowest, double highest) {

  /**
   * Time of {@code slow} / time of {@code fast}, above 1 where the second is faster. Turns are
   * compared with their neighbours where both sides have as many; one turn with each of the other
   * side; else medians.
   */
  public static Ratio of(Measurement slow, Measurement fast) {
    var above = slow.times().turns();
    var below = fast.times().turns();
    int turns = Math.max(above.size(), below.size());
    if (!isRepeated(above.size(), turns) || !isRepeated(below.size(), turns)) {
      double ratio = slow.times().median() / fast.times().median();
      return new Ratio(ratio, ratio, ratio);
    }
    double[] ratios = new double[turns];
    double lowest = Double.MAX_VALUE;
    double highest = 0;
    for (int i = 0; i < ratios.length; i++) {
      ratios[i] = above.get(i % above.size()) / below.get(i % below.size());
      lowest = Math.min(lowest, ratios[i]);
      highest = Math.max(highest, ratios[i]);
    }
    return new Ratio(Measurement.median(ratios), lowest, highest);
  }

  private static boolean isRepeated(int size, int turns) {
    return size == turns && turns > 0 || size == 1;
  }

  /** The median, and the range where there is one: {@code 2.74 (2.62 - 2.84)}. */
  public String text() {
    return lowest == highest
        ? format("%.2f", median)
        : format("%.2f (%.2f - %.2f)", median, lowest, highest);
  }
}
