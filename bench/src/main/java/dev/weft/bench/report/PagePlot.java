// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

import java.util.ArrayList;
import java.util.List;

/**
 * A plot of the page, as its script reads it.
 *
 * @param id unique on the page
 * @param caption what to see in it, in a sentence
 * @param categories names of bars; empty for lines and points
 */
public record PagePlot(
    String id,
    String title,
    String caption,
    Kind kind,
    Axis x,
    Axis y,
    List<String> categories,
    List<Series> series) {

  /** How it is drawn. */
  public enum Kind {
    /** Points joined by lines, both axes logarithmic. */
    LINES,
    /** Bars from the left, one group a category. */
    BARS
  }

  /** What an axis says, and how it runs. */
  public record Axis(String label, Scale scale, Double reference) {
    /** Without a line across the plot. */
    public static Axis of(String label, Scale scale) {
      return new Axis(label, scale, null);
    }
  }

  /** How values are spread on an axis. */
  public enum Scale {
    LINEAR,
    LOGARITHMIC
  }

  /** How a series is drawn. */
  public enum Style {
    /** Points and a line through them. */
    SOLID,
    /** A thin broken line without points: what is to be expected. */
    DASHED,
    /** Points alone. */
    POINTS
  }

  /**
   * One colour of the plot.
   *
   * @param key decides on the colour; the same everywhere on the page
   */
  public record Series(String name, String key, Style style, List<Point> points) {}

  /**
   * @param x a number, or the place of the category
   * @param low end of the error bar; null where there is none
   * @param high end of the error bar
   * @param label what is said of the point when it is looked at
   */
  public record Point(double x, double y, Double low, Double high, String label) {
    private Point withFiniteEnds() {
      boolean whole = low != null && high != null && Double.isFinite(low) && Double.isFinite(high);
      return whole ? this : new Point(x, y, null, null, label);
    }
  }

  /** A plot of lines, to add series to. */
  static PagePlot lines(String id, String title, String caption, Axis x, Axis y) {
    return new PagePlot(id, title, caption, Kind.LINES, x, y, List.of(), new ArrayList<>());
  }

  /** Whether there is anything to see. */
  boolean isEmpty() {
    return series.stream().allMatch(one -> one.points().isEmpty());
  }

  /**
   * Without the points that have no place: no axis and no JSON knows NaN or infinity, and no
   * logarithmic axis 0.
   */
  PagePlot finite() {
    List<Series> drawable =
        series.stream()
            .map(
                one ->
                    new Series(
                        one.name(),
                        one.key(),
                        one.style(),
                        one.points().stream()
                            .filter(this::hasPlace)
                            .map(Point::withFiniteEnds)
                            .toList()))
            .toList();
    return new PagePlot(id, title, caption, kind, x, y, categories, drawable);
  }

  /** The values of bars run along the axis that lies below them. */
  private boolean hasPlace(Point at) {
    return kind == Kind.BARS ? isOn(x, at.y()) : isOn(x, at.x()) && isOn(y, at.y());
  }

  private static boolean isOn(Axis axis, double value) {
    return Double.isFinite(value) && (axis.scale() == Scale.LINEAR || value > 0);
  }
}
