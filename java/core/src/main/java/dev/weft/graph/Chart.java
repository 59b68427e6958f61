// SPDX-License-Identifier: Apache-2.0
package dev.weft.graph;

import static dev.weft.format.Format.format;
import static dev.weft.format.Format.significant;

import dev.weft.format.Markup;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/**
 * A function and its derivative as curves over one axis, the function in green, the derivative in
 * red and dashed.
 *
 * @param title what stands above
 * @param x where they are known, ascending
 * @param y the function there; where it is not finite the curve has a gap
 * @param dy the derivative there, likewise
 */
public record Chart(String title, double[] x, double[] y, double[] dy) {
  private static final double WIDTH = 210;
  private static final double HEIGHT = 130;
  private static final double MARGIN = 34;

  /**
   * Checks the lengths.
   *
   * @throws IllegalArgumentException where they differ, or there are less than two points
   */
  public Chart {
    if (x.length < 2 || y.length != x.length || dy.length != x.length) {
      throw new IllegalArgumentException(
          format(
              "a chart needs a value and a derivative at each of two points or more, not %d and %d"
                  + " at %d",
              y.length, dy.length, x.length));
    }
  }

  /** A picture of charts in rows of {@code columns}. */
  public static String svg(List<Chart> charts, int columns) {
    double across = WIDTH + MARGIN;
    double down = HEIGHT + 2 * MARGIN;
    int rows = (charts.size() + columns - 1) / columns;
    StringBuilder out = new StringBuilder();
    out.append(
        format(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %1$.0f %2$.0f\""
                + " width=\"%1$.0f\" height=\"%2$.0f\">\n<title>functions and derivatives</title>\n"
                + "%3$s<rect class=\"paper\" width=\"100%%\" height=\"100%%\" rx=\"6\"/>\n",
            Math.min(columns, charts.size()) * across + MARGIN, rows * down, Picture.STYLE));
    for (int i = 0; i < charts.size(); i++) {
      double left = MARGIN + i % columns * across;
      double top = i / columns * down + MARGIN;
      out.append(format("<g class=\"chart\" transform=\"translate(%.0f,%.0f)\">\n", left, top));
      charts.get(i).draw(out);
      out.append("</g>\n");
    }
    return out.append("</svg>\n").toString();
  }

  private void draw(StringBuilder out) {
    double[] finite =
        Stream.of(y, dy).flatMapToDouble(Arrays::stream).filter(Double::isFinite).toArray();
    double low = DoubleStream.of(finite).min().orElse(0);
    double high = DoubleStream.of(finite).max().orElse(1);
    double flat = low == high ? 1 : 0;
    double least = Math.min(0, low) - flat;
    double most = Math.max(0, high) + flat;
    double zero = HEIGHT * most / (most - least);
    double first = x[0];
    double last = x[x.length - 1];
    double origin = Math.clamp(WIDTH * -first / (last - first), 0, WIDTH);
    out.append(format("<text class=\"sign\" x=\"%.1f\" y=\"-12\">", WIDTH / 2));
    out.append(Markup.escape(title)).append("</text>\n");
    out.append(format("<path class=\"edge\" d=\"M0,%.2f H%.2f\"/>\n", zero, WIDTH));
    out.append(format("<path class=\"edge\" d=\"M%.2f,0 V%.2f\"/>\n", origin, HEIGHT));
    label(out, 6, HEIGHT + 16, first);
    label(out, WIDTH, HEIGHT + 16, last);
    label(out, origin - 4, 4, most);
    label(out, origin - 4, HEIGHT + (zero < HEIGHT ? 4 : -4), least);
    curve(out, "value", y, least, most);
    curve(out, "gradient", dy, least, most);
  }

  private static void label(StringBuilder out, double left, double top, double value) {
    String text = significant(value, 2);
    out.append(
        format("<text class=\"more tick\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", left, top, text));
  }

  private void curve(StringBuilder out, String kind, double[] values, double least, double most) {
    StringBuilder path = new StringBuilder();
    boolean drawing = false;
    for (int i = 0; i < x.length; i++) {
      boolean finite = Double.isFinite(values[i]);
      if (finite) {
        double left = WIDTH * (x[i] - x[0]) / (x[x.length - 1] - x[0]);
        double top = HEIGHT * (most - values[i]) / (most - least);
        path.append(format("%s%.2f,%.2f ", drawing ? "L" : "M", left, top));
      }
      drawing = finite;
    }
    out.append(format("<path class=\"curve of-%s\" d=\"%s\"/>\n", kind, path.toString().strip()));
  }
}
