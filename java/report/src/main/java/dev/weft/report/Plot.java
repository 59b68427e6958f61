// SPDX-License-Identifier: Apache-2.0
package dev.weft.report;

import static dev.weft.format.Format.format;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Curves, points and lines of equal value over two axes, or an image of grey values. Series of one
 * name share a colour, and a line of the legend; a name that is empty has none.
 *
 * <pre>{@code
 * Plot.of("training", "step", "loss").logY().line("rate 0.1", steps, losses).write(file);
 * }</pre>
 */
public final class Plot {
  /** What a plot is made of. */
  enum Kind {
    LINE,
    POINTS,
    CONTOUR
  }

  /** Lines or points of one name; a contour's are those of its levels. */
  record Series(Kind kind, String name, List<double[]> x, List<double[]> y) {}

  /** The least and the greatest value that an axis shows. */
  record Range(double low, double high) {
    Range {
      if (!(low < high) || !Double.isFinite(high - low)) {
        throw new IllegalArgumentException(
            format("the range of an axis was from %s to %s; it goes upward", low, high));
      }
    }
  }

  final String title;
  final String xLabel;
  final String yLabel;
  final List<Series> series = new ArrayList<>();
  boolean logX;
  boolean logY;
  List<Range> xRange = List.of();
  List<Range> yRange = List.of();
  double[][] image = {};

  private Plot(String title, String xLabel, String yLabel) {
    this.title = title;
    this.xLabel = xLabel;
    this.yLabel = yLabel;
  }

  /** An empty plot; each of its texts may be empty. */
  public static Plot of(String title, String xLabel, String yLabel) {
    return new Plot(title, xLabel, yLabel);
  }

  /** The horizontal axis by powers of ten; values that are not positive have no place on it. */
  public Plot logX() {
    logX = true;
    return this;
  }

  /** The vertical axis by powers of ten; values that are not positive have no place on it. */
  public Plot logY() {
    logY = true;
    return this;
  }

  /**
   * What the horizontal axis shows; lines are cut off there. Otherwise it has room for all values.
   *
   * @throws IllegalArgumentException where {@code low} is not less than {@code high}
   */
  public Plot xRange(double low, double high) {
    xRange = List.of(new Range(low, high));
    return this;
  }

  /** What the vertical axis shows, as {@link #xRange}. */
  public Plot yRange(double low, double high) {
    yRange = List.of(new Range(low, high));
    return this;
  }

  /**
   * A line through points in their order, with a gap where a value is not finite; a point alone is
   * a dot.
   *
   * @throws IllegalArgumentException where there are more of {@code x} than of {@code y}, or fewer
   */
  public Plot line(String name, double[] x, double[] y) {
    return add(Kind.LINE, name, x, y);
  }

  /**
   * Points without a line between them.
   *
   * @throws IllegalArgumentException where there are more of {@code x} than of {@code y}, or fewer
   */
  public Plot points(String name, double[] x, double[] y) {
    return add(Kind.POINTS, name, x, y);
  }

  /**
   * A line through points (x, y), as {@link #line(String, double[], double[])}.
   *
   * @throws IllegalArgumentException where a row is not two values
   */
  public Plot line(String name, double[][] points) {
    return add(Kind.LINE, name, column(name, points, 0), column(name, points, 1));
  }

  /**
   * Points (x, y) without a line between them.
   *
   * @throws IllegalArgumentException where a row is not two values
   */
  public Plot points(String name, double[][] points) {
    return add(Kind.POINTS, name, column(name, points, 0), column(name, points, 1));
  }

  private static double[] column(String name, double[][] points, int column) {
    for (double[] point : points) {
      if (point.length != 2) {
        throw new IllegalArgumentException(
            format("%s has a point of %d values, not of x and y", quoted(name), point.length));
      }
    }
    return Stream.of(points).mapToDouble(point -> point[column]).toArray();
  }

  private Plot add(Kind kind, String name, double[] x, double[] y) {
    if (x.length != y.length) {
      throw new IllegalArgumentException(
          format("%s has %d values of x and %d of y", quoted(name), x.length, y.length));
    }
    series.add(new Series(kind, name, List.of(x.clone()), List.of(y.clone())));
    return this;
  }

  private static String quoted(String name) {
    return name.isEmpty() ? "a series without a name" : "\"" + name + "\"";
  }

  /** So many values at equal distances, the first {@code low} and the last {@code high}. */
  public static double[] evenly(double low, double high, int count) {
    return IntStream.range(0, count)
        .mapToDouble(i -> low + (high - low) * i / Math.max(1, count - 1))
        .toArray();
  }

  /** The points (x, y) of a grid in rows, all of the first {@code ys} before those of the next. */
  public static double[][] grid(double[] xs, double[] ys) {
    return DoubleStream.of(ys)
        .boxed()
        .flatMap(y -> DoubleStream.of(xs).mapToObj(x -> new double[] {x, y}))
        .toArray(double[][]::new);
  }

  /**
   * Lines of equal value of a function that has the values {@code z} at the points of {@link
   * #grid}.
   *
   * @throws IllegalArgumentException as the other, or where there is not one value for each point
   */
  public Plot contour(String name, double[] xs, double[] ys, double[] z, double... levels) {
    if (z.length != xs.length * ys.length) {
      throw new IllegalArgumentException(
          format(
              "the contour %s over %d values of y and %d of x got %d values of z",
              quoted(name), ys.length, xs.length, z.length));
    }
    double[][] rows =
        IntStream.range(0, ys.length)
            .mapToObj(i -> Arrays.copyOfRange(z, i * xs.length, (i + 1) * xs.length))
            .toArray(double[][]::new);
    return contour(name, xs, ys, rows, levels);
  }

  /**
   * Lines of equal value of {@code z[i][j]} at {@code xs[j], ys[i]}: thin grey ones, but that of a
   * single level, such as a boundary, is one as of {@link #line}. The axes show the grid, where no
   * range was given.
   *
   * @param levels the values, one line or several for each
   * @throws IllegalArgumentException where the grid is not of two columns and rows or more in
   *     ascending order, or {@code z} has not its shape
   */
  public Plot contour(String name, double[] xs, double[] ys, double[][] z, double... levels) {
    checkAscending(name, "xs", xs);
    checkAscending(name, "ys", ys);
    if (z.length != ys.length || Stream.of(z).anyMatch(row -> row.length != xs.length)) {
      throw new IllegalArgumentException(
          format(
              "the contour %s over %d values of y and %d of x got z of %d rows%s",
              quoted(name),
              ys.length,
              xs.length,
              z.length,
              z.length == 0 ? "" : ", the first of " + z[0].length));
    }
    List<double[]> x = new ArrayList<>();
    List<double[]> y = new ArrayList<>();
    for (double level : levels) {
      for (double[] line : Contours.of(xs, ys, z, level)) {
        x.add(everySecond(line, 0));
        y.add(everySecond(line, 1));
      }
    }
    series.add(new Series(levels.length == 1 ? Kind.LINE : Kind.CONTOUR, name, x, y));
    xRange = xRange.isEmpty() ? List.of(new Range(xs[0], xs[xs.length - 1])) : xRange;
    yRange = yRange.isEmpty() ? List.of(new Range(ys[0], ys[ys.length - 1])) : yRange;
    return this;
  }

  private static void checkAscending(String name, String what, double[] values) {
    boolean ascending = values.length > 1 && Double.isFinite(values[values.length - 1]);
    for (int i = 1; i < values.length; i++) {
      ascending &= values[i - 1] < values[i];
    }
    if (!ascending) {
      throw new IllegalArgumentException(
          format(
              "%s of the contour %s must be two values or more in ascending order",
              what, quoted(name)));
    }
  }

  private static double[] everySecond(double[] line, int first) {
    double[] values = new double[line.length / 2];
    for (int i = 0; i < values.length; i++) {
      values[i] = line[2 * i + first];
    }
    return values;
  }

  /**
   * Grey values as squares, the first row on top, the least black and the greatest white; a plot
   * with an image has no axes, and shows nothing else.
   *
   * @throws IllegalArgumentException where rows differ in length, nothing is in them, or a value is
   *     not finite
   */
  public Plot image(double[][] z) {
    if (z.length == 0 || z[0].length == 0) {
      throw new IllegalArgumentException("an image needs at least one row of one value");
    }
    for (double[] row : z) {
      if (row.length != z[0].length || !DoubleStream.of(row).allMatch(Double::isFinite)) {
        throw new IllegalArgumentException(
            "an image needs rows of the same length, and values that are finite");
      }
    }
    image = Stream.of(z).map(double[]::clone).toArray(double[][]::new);
    return this;
  }

  /** This plot alone, as a picture in SVG. */
  public String svg() {
    return Plots.of(1, this).svg();
  }

  /**
   * Writes this plot alone, in the form that the file's suffix names.
   *
   * @throws IOException as {@link Plots#write} does
   */
  public void write(Path path) throws IOException {
    Plots.of(1, this).write(path);
  }
}
