// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How a network does on a data set.
 *
 * @param loss the mean over rows; NaN where one of them is
 * @param metrics what else was measured, by {@link Metric#name}
 * @param rows the number of rows
 */
public record Evaluation(double loss, Map<String, Double> metrics, long rows) {
  /** What the loss is called among metrics. */
  public static final String LOSS = "loss";

  static final String ACCURACY = "accuracy";

  /** Copies the map, in its order. */
  public Evaluation {
    metrics = Collections.unmodifiableMap(new LinkedHashMap<>(metrics));
  }

  /**
   * A metric by its name, or {@link #LOSS}.
   *
   * @throws IllegalArgumentException that names what was measured, where it was not
   */
  public double metric(String name) {
    if (name.equals(LOSS)) {
      return loss;
    }
    Double value = metrics.get(name);
    if (value == null) {
      throw new IllegalArgumentException(
          format(
              "'%s' was not measured, but %s%s",
              name, LOSS, metrics.isEmpty() ? "" : ", " + String.join(", ", metrics.keySet())));
    }
    return value;
  }

  /**
   * The share of rows whose largest output is the label's: the metric {@code accuracy}, or where
   * there is none the one metric of an {@link Accuracy} against another column, as {@code next
   * accuracy}.
   *
   * @throws IllegalArgumentException that names what was measured, where there is none, as for a
   *     regression, or several
   */
  public double accuracy() {
    List<String> others =
        metrics.keySet().stream().filter(name -> name.endsWith(" " + ACCURACY)).toList();
    return metric(
        metrics.containsKey(ACCURACY) || others.size() != 1 ? ACCURACY : others.getFirst());
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(format("loss %.4g", loss));
    metrics.forEach((name, value) -> text.append(format(", %s %.4g", name, value)));
    return text.toString();
  }
}
