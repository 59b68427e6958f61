// SPDX-License-Identifier: Apache-2.0
package dev.weft.report;

import static dev.weft.format.Format.format;

import dev.weft.io.AtomicFile;
import dev.weft.report.Canvas.Anchor;
import dev.weft.report.Canvas.Type;
import dev.weft.report.Plot.Kind;
import dev.weft.report.Plot.Series;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/** Plots side by side in one picture, with one legend: a name means the same in each of them. */
public final class Plots {
  private static final double MARGIN = 14;
  private static final double ROW = 20; // of the legend
  private static final double SAMPLE = 30;
  private static final double IMAGE = 120;

  private final int columns;
  private final List<Plot> plots;
  private final List<Panel> panels;
  private final List<String> names; // of lines and points: their number is their colour
  private final List<String> legend;
  private final double panelWidth;
  private final double panelHeight;

  private Plots(int columns, List<Plot> plots) {
    boolean images = plots.stream().allMatch(plot -> plot.image.length > 0);
    this.columns = Math.min(columns, plots.size());
    this.plots = plots;
    this.panelWidth = images ? IMAGE : columns == 1 ? 460 : columns == 2 ? 330 : 270;
    this.panelHeight = images ? IMAGE : columns == 1 ? 280 : columns == 2 ? 250 : 230;
    this.panels = plots.stream().map(plot -> new Panel(plot, panelWidth, panelHeight)).toList();
    this.names =
        series(plots)
            .filter(one -> one.kind() != Kind.CONTOUR)
            .map(Series::name)
            .filter(name -> !name.isEmpty())
            .distinct()
            .toList();
    this.legend =
        series(plots).map(Series::name).filter(name -> !name.isEmpty()).distinct().toList();
  }

  private static Stream<Series> series(List<Plot> plots) {
    return plots.stream().flatMap(plot -> plot.series.stream());
  }

  /**
   * A picture of plots in rows.
   *
   * @param columns how many stand in a row
   * @throws IllegalArgumentException where there are no columns or no plots
   */
  public static Plots of(int columns, Plot... plots) {
    if (columns < 1 || plots.length == 0) {
      throw new IllegalArgumentException(
          format(
              "a picture needs a column and a plot or more, not %d columns and %d plots",
              columns, plots.length));
    }
    return new Plots(columns, List.of(plots));
  }

  private double widest(ToDoubleFunction<Panel> margin) {
    return panels.stream().mapToDouble(margin).max().orElseThrow();
  }

  private double across() {
    return widest(Panel::left) + panelWidth + MARGIN;
  }

  private double down() {
    return widest(Panel::top) + panelHeight + widest(Panel::bottom) + MARGIN;
  }

  double width() {
    return columns * across() + MARGIN;
  }

  double height() {
    int rows = (plots.size() + columns - 1) / columns;
    List<double[]> places = places();
    double below = places.isEmpty() ? 0 : places.getLast()[1] + ROW;
    return MARGIN / 2 + rows * down() + below;
  }

  /** Where the entries of the legend stand, from the lower left corner of the last plots. */
  private List<double[]> places() {
    List<double[]> places = new ArrayList<>();
    double x = 0;
    double y = 0;
    for (String name : legend) {
      double wide = SAMPLE + name.length() * Panel.LETTER + MARGIN;
      if (x > 0 && x + wide > width() - 2 * MARGIN) {
        x = 0;
        y += ROW;
      }
      places.add(new double[] {x, y});
      x += wide;
    }
    return places;
  }

  /** Draws all of it. */
  void draw(Canvas to) {
    for (int i = 0; i < panels.size(); i++) {
      double left = MARGIN + i % columns * across() + widest(Panel::left);
      double top = MARGIN / 2 + i / columns * down() + widest(Panel::top);
      panels.get(i).draw(to, left, top, names);
    }
    List<double[]> places = places();
    for (int i = 0; i < places.size(); i++) {
      String name = legend.get(i);
      double x = MARGIN + places.get(i)[0];
      double y = height() - places.getLast()[1] - ROW + places.get(i)[1] + ROW / 4;
      List<Kind> kinds =
          series(plots).filter(one -> one.name().equals(name)).map(Series::kind).toList();
      Panel.sample(to, kinds, names.indexOf(name), x, y);
      to.text(Ink.TEXT, Type.TICK, Anchor.START, x + SAMPLE, y + ROW / 5, name);
    }
  }

  /** The titles, for who cannot see the picture. */
  private String title() {
    return String.join(
        ", ", plots.stream().map(plot -> plot.title).filter(t -> !t.isEmpty()).toList());
  }

  /** The picture in SVG: it follows the light or dark theme of its page, and its text is text. */
  public String svg() {
    SvgCanvas canvas = new SvgCanvas(width(), height(), title());
    draw(canvas);
    return canvas.svg();
  }

  /**
   * Writes the picture to a file that ends in {@code .svg} or, on a light page, in {@code .png}.
   *
   * @throws IllegalArgumentException as {@link #check}, and where a PNG would be too large
   * @throws IllegalStateException likewise
   * @throws IOException where the file cannot be written
   */
  public void write(Path path) throws IOException {
    check(path);
    if (path.toString().endsWith(".svg")) {
      AtomicFile.write(path, svg());
    } else {
      byte[] png = Pixels.png(this);
      AtomicFile.write(path, channel -> channel.write(ByteBuffer.wrap(png)));
    }
  }

  /**
   * Returns if pictures of the form that a file's suffix names can be drawn here, so that work for
   * a picture is not begun in vain.
   *
   * @throws IllegalArgumentException where the file's name ends in neither {@code .svg} nor {@code
   *     .png}
   * @throws IllegalStateException where a PNG is asked for on a machine without fonts, or of a Java
   *     without java.desktop
   */
  public static void check(Path path) {
    if (path.toString().endsWith(".png")) {
      Drawing.check(path);
    } else if (!path.toString().endsWith(".svg")) {
      throw new IllegalArgumentException(
          format("%s ends in neither .svg nor .png, the forms of a picture", path));
    }
  }
}
