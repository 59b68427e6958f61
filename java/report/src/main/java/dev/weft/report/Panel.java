// SPDX-License-Identifier: Apache-2.0
package dev.weft.report;

import dev.weft.report.Canvas.Anchor;
import dev.weft.report.Canvas.Type;
import dev.weft.report.Plot.Kind;
import dev.weft.report.Plot.Range;
import dev.weft.report.Plot.Series;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/** One plot of a picture: its title, axes and series, in {@code width} by {@code height} pixels. */
final class Panel {
  static final double LETTER = 6.4; // the width of most, of 11 pixels
  private static final double LINE = 18;
  private static final double TICK = 4;
  private static final double GAP = 7;
  private static final double MORE = 0.04; // beside the outermost values
  private static final double NEAR = 0.7; // pixels between points that are told apart
  private static final double MARK = 3.5;
  private static final int WHITE = 255;

  private final Plot plot;
  private final double width;
  private final double height;
  private final Axis x;
  private final Axis y;

  Panel(Plot plot, double width, double height) {
    this.plot = plot;
    this.width = width;
    this.height = height;
    this.x = axis(plot, plot.logX, plot.xRange, Series::x);
    this.y = axis(plot, plot.logY, plot.yRange, Series::y);
  }

  private static Axis axis(
      Plot plot, boolean log, List<Range> given, Function<Series, List<double[]>> of) {
    if (!given.isEmpty()) {
      Range range = given.getFirst();
      return new Axis(log, range.low(), range.high());
    }
    double low = Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    for (double value :
        plot.series.stream()
            .flatMap(series -> of.apply(series).stream())
            .flatMapToDouble(DoubleStream::of)
            .filter(value -> Double.isFinite(value) && (!log || value > 0))
            .toArray()) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    return Axis.around(log, low, high, MORE);
  }

  private boolean isImage() {
    return plot.image.length > 0;
  }

  double left() {
    double labels =
        isImage()
            ? 0
            : y.ticks().stream().mapToInt(tick -> tick.label().length()).max().orElse(0) * LETTER
                + TICK
                + GAP;
    return labels + (plot.yLabel.isEmpty() ? 0 : LINE);
  }

  double top() {
    return plot.title.isEmpty() ? GAP : LINE + GAP;
  }

  double bottom() {
    return (isImage() ? 0 : LINE) + (plot.xLabel.isEmpty() ? 0 : LINE);
  }

  /** Draws the plot with the upper left corner of its frame at a point. */
  void draw(Canvas to, double left, double top, List<String> names) {
    to.text(Ink.TEXT, Type.TITLE, Anchor.MIDDLE, left + width / 2, top - GAP, plot.title);
    double middle = left + width / 2;
    to.text(
        Ink.TEXT,
        Type.LABEL,
        Anchor.MIDDLE,
        middle,
        top + height + bottom() - GAP / 2,
        plot.xLabel);
    to.upward(Ink.TEXT, Type.LABEL, left - left() + LINE * 2 / 3, top + height / 2, plot.yLabel);
    if (isImage()) {
      double side = Math.min(width / plot.image[0].length, height / plot.image.length);
      double across = side * plot.image[0].length;
      double down = side * plot.image.length;
      to.image(grey(plot.image), middle - across / 2, top + (height - down) / 2, across, down);
      return;
    }
    grid(to, left, top);
    for (Kind kind : List.of(Kind.CONTOUR, Kind.LINE, Kind.POINTS)) {
      for (Series series : plot.series) {
        if (series.kind() == kind) {
          draw(to, left, top, series, names);
        }
      }
    }
  }

  private static int[][] grey(double[][] z) {
    double low = Stream.of(z).flatMapToDouble(DoubleStream::of).min().orElseThrow();
    double high = Stream.of(z).flatMapToDouble(DoubleStream::of).max().orElseThrow();
    double scale = low == high ? 0 : WHITE / (high - low);
    return Stream.of(z)
        .map(
            row ->
                DoubleStream.of(row).mapToInt(v -> (int) Math.round((v - low) * scale)).toArray())
        .toArray(int[][]::new);
  }

  private void grid(Canvas to, double left, double top) {
    double right = left + width;
    double bottom = top + height;
    List<double[]> lines = new ArrayList<>();
    for (Axis.Tick tick : x.ticks()) {
      double at = left + width * x.at(tick.value());
      lines.add(new double[] {at, top, at, bottom});
      to.text(Ink.MUTED, Type.TICK, Anchor.MIDDLE, at, bottom + LINE - TICK, tick.label());
    }
    for (Axis.Tick tick : y.ticks()) {
      double at = bottom - height * y.at(tick.value());
      lines.add(new double[] {left, at, right, at});
      to.text(Ink.MUTED, Type.TICK, Anchor.END, left - GAP, at + TICK, tick.label());
    }
    to.lines(Ink.GRID, Pen.FRAME, "", lines);
    double[] frame = {left, top, left, bottom, right, bottom};
    to.lines(Ink.MUTED, Pen.FRAME, "", List.of(frame));
  }

  private void draw(Canvas to, double left, double top, Series series, List<String> names) {
    List<double[]> lines = new ArrayList<>();
    for (int i = 0; i < series.x().size(); i++) {
      double[] xs = series.x().get(i);
      double[] ys = series.y().get(i);
      double[] line = new double[2 * xs.length];
      for (int k = 0; k < xs.length; k++) {
        line[2 * k] = left + width * x.at(xs[k]);
        line[2 * k + 1] = top + height * (1 - y.at(ys[k]));
      }
      lines.add(line);
    }
    Clip clip = new Clip(left, top, left + width, top + height);
    int number = names.indexOf(series.name());
    switch (series.kind()) {
      case LINE ->
          to.lines(
              ink(number), Pen.line(Math.max(0, number)), series.name(), clip.lines(lines, NEAR));
      case CONTOUR -> to.lines(Ink.LEVEL, Pen.HAIR, series.name(), clip.lines(lines, NEAR));
      case POINTS -> marks(to, number, series.name(), clip.points(lines));
    }
  }

  private static Ink ink(int number) {
    return number < 0 ? Ink.TEXT : Ink.series(number);
  }

  /** Points as dots, squares, crosses and plus signs, so that not their colour alone differs. */
  private static void marks(Canvas to, int number, String name, List<double[]> points) {
    int shape = Math.max(0, number) % 4;
    List<double[]> marks = new ArrayList<>();
    for (double[] point : points) {
      double x = point[0];
      double y = point[1];
      double slant = shape == 2 ? MARK * 0.8 : 0;
      switch (shape) {
        case 0, 1 -> marks.add(new double[] {x, y, x, y});
        default -> {
          double straight = shape == 2 ? slant : MARK;
          marks.add(new double[] {x - straight, y - slant, x + straight, y + slant});
          marks.add(new double[] {x - slant, y + straight, x + slant, y - straight});
        }
      }
    }
    Pen pen = shape == 0 ? Pen.DOT : shape == 1 ? Pen.SQUARE : Pen.MARK;
    to.lines(ink(number), pen, name, marks);
  }

  /** Draws what stands for a name in the legend, 24 pixels wide. */
  static void sample(Canvas to, List<Kind> kinds, int number, double x, double y) {
    double[] line = {x, y, x + 24, y};
    if (kinds.contains(Kind.LINE)) {
      to.lines(ink(number), Pen.line(number), "", List.of(line));
    } else if (kinds.contains(Kind.POINTS)) {
      marks(to, number, "", List.of(new double[] {x + 12, y}));
    } else {
      to.lines(Ink.LEVEL, Pen.HAIR, "", List.of(line));
    }
  }
}
