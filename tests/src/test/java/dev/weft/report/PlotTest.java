// SPDX-License-Identifier: Apache-2.0
package dev.weft.report;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.support.Beside;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pictures show each value where it belongs, and say what they show in words. */
@Beside
class PlotTest {
  private static final double[] TEN = {0, 10};
  private static final double PIXEL = 0.11; // to which coordinates are rounded

  @TempDir Path folder;

  private static Plot plot() {
    return Plot.of("a title", "across", "up");
  }

  private static List<String> texts(String svg) {
    return found(svg, "<text[^>]*>([^<]*)</text>");
  }

  private static List<String> found(String svg, String pattern) {
    return Pattern.compile(pattern).matcher(svg).results().map(match -> match.group(1)).toList();
  }

  /** The lines of the path of a name, each as x0, y0, x1, y1 and so on. */
  private static List<double[]> lines(String svg, String name) {
    String path = found(svg, "d=\"([^\"]*)\"><title>" + name + "</title>").getFirst();
    return Arrays.stream(path.substring(1).split("M")).map(PlotTest::numbers).toList();
  }

  private static double[] numbers(String text) {
    return Arrays.stream(text.split("[ ,]")).mapToDouble(Double::parseDouble).toArray();
  }

  /** Left, top, right and bottom of the first frame: it is drawn down and to the right. */
  private static double[] frame(String svg) {
    double[] corner = numbers(found(svg, "d=\"M([^\"M ]* [^\"M ]* [^\"M ]*)\"/>").getFirst());
    return new double[] {corner[0], corner[1], corner[4], corner[5]};
  }

  @Test
  void whatItSaysIsText() {
    String svg = plot().line("a < b", TEN, TEN).points("dots", TEN, TEN).svg();
    List<String> texts = texts(svg);
    for (String words : List.of("a title", "across", "up", "a &lt; b", "dots", "0", "10")) {
      assertTrue(texts.contains(words), () -> words + " in " + texts);
    }
    assertTrue(svg.contains("<title>a title</title>"), svg);
    assertTrue(svg.length() < 6_000, svg);
  }

  @Test
  void valuesStandWhereTheAxesSay() {
    String svg = plot().xRange(0, 10).yRange(0, 10).line("l", TEN, TEN).svg();
    double[] f = frame(svg);
    assertArrayEquals(new double[] {f[0], f[3], f[2], f[1]}, lines(svg, "l").getFirst(), PIXEL);
  }

  @Test
  void powersOfTenAreEquallyFarApart() {
    double[] x = {0, 1, 2};
    String svg = plot().logY().xRange(0, 2).line("l", x, new double[] {1, 10, 100}).svg();
    double[] line = lines(svg, "l").getFirst();
    assertEquals(line[1] - line[3], line[3] - line[5], 2 * PIXEL);
    assertTrue(line[1] - line[3] > 50, Arrays.toString(line));
    assertTrue(texts(svg).containsAll(List.of("1", "10", "100")), svg);
    assertTrue(
        texts(plot().logX().line("l", new double[] {1e-9, 1e9}, TEN).svg())
            .containsAll(List.of("10⁻⁸", "10⁸")));
  }

  @Test
  void whatHasNoPlaceLeavesAGap() {
    double[] x = {1, 2, 3, 4, 5, 6, 7};
    double[] y = {1, 2, Double.NaN, 4, -5, 6, 7};
    assertEquals(2, lines(plot().line("l", x, y).svg(), "l").size());
    assertEquals(4, lines(plot().line("l", x, y).svg(), "l").get(1).length / 2);
    assertEquals(1, lines(plot().line("l", x, x).svg(), "l").size());
  }

  /** A loss of one epoch is one; with a logarithm, so is the 4 between NaN and -5. */
  @Test
  void aPointAloneIsADot() throws Exception {
    double[] x = {1, 2, 3, 4, 5, 6};
    double[] y = {1, 2, Double.NaN, 4, -5, 6};
    String svg = plot().xRange(0, 10).logY().yRange(1, 16).line("l", x, y).svg();
    double[] f = frame(svg);
    List<double[]> lines = lines(svg, "l");
    assertEquals(3, lines.size());
    for (double[] dot : lines.subList(0, 2)) { // 4 is half way up on the left, 6 is the other
      assertArrayEquals(new double[] {dot[0], dot[1]}, new double[] {dot[2], dot[3]}, PIXEL);
    }
    double[] four = {f[0] + 0.4 * (f[2] - f[0]), (f[1] + f[3]) / 2};
    assertArrayEquals(four, Arrays.copyOf(lines.getFirst(), 2), PIXEL);
    assertEquals(0, found(plot().xRange(0, 1).line("l", x, y).svg(), "(<title>l</title>)").size());
    // each of the pens draws it, dashed ones too
    Plot plot = plot().xRange(0, 20).yRange(0, 1);
    for (int i = 0; i < 16; i++) {
      plot.line("" + i, new double[] {i + 1}, new double[] {0.5});
    }
    Path png = folder.resolve("dots.png");
    plot.write(png);
    BufferedImage image = ImageIO.read(png.toFile());
    f = frame(plot.svg());
    for (int i = 0; i < 16; i++) {
      int across = (int) (2 * (f[0] + (i + 1) / 20.0 * (f[2] - f[0])));
      int pixel = image.getRGB(across, (int) (f[1] + f[3])) & 0xffffff;
      assertEquals(Ink.css(Ink.series(i).light), Ink.css(pixel), "line " + i);
    }
  }

  /** As the losses of a descent that diverges have them. */
  @Test
  void valuesAtTheEndsOfDoublesHaveAxes() {
    double most = Double.MAX_VALUE;
    double least = Double.MIN_VALUE;
    double[][] pairs = {
      {1e-2, 1e305},
      {1e-5, most},
      {1e-320, 1},
      {0, least},
      {least, least},
      {most, most},
      {1000, Math.nextUp(1000.0)}
    };
    for (double[] pair : pairs) {
      for (Plot plot : List.of(plot(), plot().logY())) {
        String svg = plot.line("l", TEN, pair).svg();
        double[] f = frame(svg);
        double[] line = lines(svg, "l").getFirst();
        for (int i = 1; i < line.length; i += 2) {
          assertTrue(line[i] > f[1] - PIXEL && line[i] < f[3] + PIXEL, Arrays.toString(pair));
        }
        assertTrue(texts(svg).size() < 40, svg);
        assertTrue(texts(svg).size() > 4, svg); // the plot's words, and numbers
      }
    }
    assertTrue(
        texts(plot().logY().line("l", TEN, pairs[0]).svg()).containsAll(List.of("1", "10⁵⁴")));
  }

  @Test
  void nothingIsDrawnOutsideOfTheFrame() {
    double[] x = {-5, 5, 5, 20, 1};
    double[] y = {5, 1e9, 5, 6, -3};
    Plot plot = plot().xRange(0, 10).yRange(0, 10).line("l", x, y).points("p", x, y);
    String svg = plot.svg();
    double[] f = frame(svg);
    List<double[]> lines = lines(svg, "l");
    assertTrue(lines.size() > 1);
    for (double[] line : lines) {
      for (int i = 0; i < line.length; i += 2) {
        boolean inside =
            line[i] >= f[0] - PIXEL
                && line[i] <= f[2] + PIXEL
                && line[i + 1] >= f[1] - PIXEL
                && line[i + 1] <= f[3] + PIXEL;
        assertTrue(inside, Arrays.toString(line));
      }
    }
    // 6 of 15 on the way from 5, 5 to 20, 6: leaves at 10, 5.33
    double[] out = {f[0] + (f[2] - f[0]), f[3] - (f[3] - f[1]) * 16 / 30};
    assertTrue(
        lines.stream()
            .anyMatch(
                line ->
                    Math.hypot(line[line.length - 2] - out[0], line[line.length - 1] - out[1])
                        < 0.3),
        svg);
    assertEquals(1, lines(svg, "p").size(), "5, 5 alone is inside");
  }

  @Test
  void linesOfEqualValueFollowTheFunction() {
    double[] side = Plot.evenly(-2, 2, 41);
    double[][] points = Plot.grid(side, side);
    double[] z = Arrays.stream(points).mapToDouble(p -> p[0] * p[0] + p[1] * p[1]).toArray();
    String svg = plot().contour("round", side, side, z, 1).svg();
    double[] f = frame(svg);
    List<double[]> lines = lines(svg, "round");
    assertEquals(1, lines.size());
    double[] ring = lines.getFirst();
    assertTrue(ring.length > 100);
    assertEquals(ring[0], ring[ring.length - 2], "closed");
    assertEquals(ring[1], ring[ring.length - 1], "closed");
    for (int i = 0; i < ring.length; i += 2) {
      double x = (ring[i] - f[0]) / (f[2] - f[0]) * 4 - 2;
      double y = 2 - (ring[i + 1] - f[1]) / (f[3] - f[1]) * 4;
      assertEquals(1, Math.hypot(x, y), 0.005);
    }
  }

  /** Over a saddle four edges of a cell are crossed; the lines must not cross each other. */
  @Test
  void linesThroughASaddleDoNotCross() {
    double[] side = {-1, 1};
    for (double level : new double[] {-0.1, 0.1}) {
      List<double[]> lines = Contours.of(side, side, new double[][] {{1, -1}, {-1, 1}}, level);
      assertEquals(2, lines.size());
      for (double[] line : lines) {
        // each stays on one side of the diagonal between the corners that it parts
        double product = (line[0] + line[1]) * (line[2] + line[3]);
        double other = (line[0] - line[1]) * (line[2] - line[3]);
        assertTrue(level > 0 ? product > 0 : other > 0, level + ": " + Arrays.toString(line));
      }
    }
  }

  @Test
  void linesThatLeaveTheGridEndThere() {
    double[] side = {0, 1, 2};
    double[][] slope = {{0, 1, 2}, {0, 1, 2}, {0, Double.NaN, 2}};
    List<double[]> lines = Contours.of(side, side, slope, 0.5);
    assertEquals(1, lines.size());
    double[] line = lines.getFirst();
    assertEquals(4, line.length, "nothing where a value is not known");
    assertEquals(0.5, line[0]);
    assertEquals(0.5, line[2]);
    assertEquals(1, Math.abs(line[1] - line[3]));
  }

  @Test
  void anImageHoldsItsGreyValues() throws Exception {
    double[][] z = {{0, 0.5, 1}, {1, 0, 0.25}};
    Plot plot = plot().image(z);
    z[0][0] = 7; // the plot has values of its own
    String svg = plot.svg();
    String data = found(svg, "base64,([^\"]*)\"").getFirst();
    BufferedImage image = ImageIO.read(new ByteArrayInputStream(Base64.getDecoder().decode(data)));
    int[][] expected = {{0, 128, 255}, {255, 0, 64}};
    for (int row = 0; row < 2; row++) {
      assertArrayEquals(expected[row], image.getRaster().getPixels(0, row, 3, 1, (int[]) null));
    }
    assertFalse(texts(svg).contains("0"), "an image has no axes");
  }

  private static double luminance(int colour) {
    double sum = 0;
    double[] shares = {0.2126, 0.7152, 0.0722};
    for (int part = 0; part < 3; part++) {
      double c = (colour >> 8 * (2 - part) & 0xff) / 255.0;
      sum += shares[part] * (c <= 0.04045 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4));
    }
    return sum;
  }

  /** By WCAG 2.2, which asks for 3 of graphics and 4.5 of text. */
  private static double contrast(int a, int b) {
    double high = Math.max(luminance(a), luminance(b));
    return (high + 0.05) / (Math.min(luminance(a), luminance(b)) + 0.05);
  }

  @Test
  void coloursAreSeenOnLightAndOnDarkPages() {
    assertEquals(21, contrast(0x000000, 0xffffff), 1e-9);
    Map<String, Double> faint = new TreeMap<>();
    for (int i = 0; i < 8; i++) {
      Ink ink = Ink.series(i);
      faint.put(ink + " light", contrast(ink.light, Ink.PAPER.light));
      faint.put(ink + " dark", contrast(ink.dark, Ink.PAPER.dark));
    }
    assertEquals(16, faint.size());
    faint.values().removeIf(contrast -> contrast >= 3);
    assertEquals(Map.of(), faint);
    for (Ink ink : List.of(Ink.TEXT, Ink.MUTED)) {
      assertTrue(contrast(ink.light, Ink.PAPER.light) > 4.5, ink::toString);
      assertTrue(contrast(ink.dark, Ink.PAPER.dark) > 4.5, ink::toString);
    }
  }

  /** Each colour of the light theme has its counterpart where the page is dark. */
  @Test
  void aPictureFollowsItsPage() {
    String[] style =
        plot().line("l", TEN, TEN).svg().split("@media\\(prefers-color-scheme:dark\\)");
    assertEquals(2, style.length);
    String colours = "path\\.(\\w)\\{stroke:#";
    assertEquals(Ink.values().length - 1, found(style[0], colours).size());
    assertEquals(found(style[0], colours), found(style[1], colours));
    assertTrue(style[0].contains(".paper{fill:#ffffff}"), style[0]);
    assertTrue(style[1].contains(".paper{fill:#0d1117}"), style[1]);
  }

  @Test
  void aNameHasOneColourAndOneEntryInAllPlots() {
    Plot left = plot().line("sgd", TEN, TEN).line("adam", TEN, TEN);
    Plot right = plot().line("adam", TEN, TEN).points("adam", TEN, TEN);
    String svg = Plots.of(2, left, right).svg();
    assertEquals(1, texts(svg).stream().filter("adam"::equals).count());
    List<String> colours = found(svg, "class=\"(\\w) \\w+\" d=\"[^\"]*\"><title>adam");
    assertEquals(3, colours.size());
    assertEquals(1, colours.stream().distinct().count());
    assertFalse(found(svg, "class=\"(\\w) \\w+\" d=\"[^\"]*\"><title>sgd").equals(colours));
  }

  /** Names that share a colour differ in their dashes. */
  @Test
  void twelveLinesLookDifferent() {
    Plot plot = plot();
    for (int i = 0; i < 12; i++) {
      plot.line("line " + i, TEN, TEN);
    }
    List<String> looks = found(plot.svg(), "class=\"(\\w \\w+)\" d=\"[^\"]*\"><title>line ");
    assertEquals(12, looks.stream().distinct().count());
  }

  @Test
  void textStaysInsideOfThePicture() {
    Plot plot = plot();
    for (int i = 0; i < 9; i++) {
      plot.line("a name of some length " + i, TEN, new double[] {1e5 * i, -1e5});
    }
    String svg = plot.svg();
    double width = Double.parseDouble(found(svg, "viewBox=\"0 0 (\\d+) ").getFirst());
    List<Double> lefts = new ArrayList<>();
    for (MatchResult text :
        Pattern.compile("<text class=\"\\w \\w+ start\" x=\"([^\"]*)\"[^>]*>([^<]*)<")
            .matcher(svg)
            .results()
            .toList()) {
      double left = Double.parseDouble(text.group(1));
      lefts.add(left);
      assertTrue(left + 6.2 * text.group(2).length() < width, text.group(2));
    }
    assertEquals(9, lefts.size());
    assertTrue(lefts.stream().distinct().count() < 9, "in rows");
    for (MatchResult text :
        Pattern.compile("<text class=\"\\w tick end\" x=\"([^\"]*)\"[^>]*>([^<]*)<")
            .matcher(svg)
            .results()
            .toList()) {
      assertTrue(Double.parseDouble(text.group(1)) > 6.2 * text.group(2).length(), svg);
    }
  }

  @Test
  void manyPointsInAPixelAreOne() {
    double[] x = Plot.evenly(0, 1, 100_000);
    assertTrue(plot().line("l", x, x).svg().length() < 12_000);
  }

  @Test
  void theSuffixSaysTheForm() throws Exception {
    Plot plot = plot().line("l", TEN, TEN);
    Path svg = folder.resolve("a.svg");
    plot.write(svg);
    assertEquals(plot.svg(), Files.readString(svg));
    Path png = folder.resolve("a.png");
    plot.write(png);
    BufferedImage image = ImageIO.read(png.toFile());
    double width = Double.parseDouble(found(plot.svg(), "viewBox=\"0 0 (\\d+) ").getFirst());
    assertEquals(2 * width, image.getWidth(), 2);
    int[] pixels =
        image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
    for (int colour : new int[] {Ink.PAPER.light, Ink.BLUE.light}) {
      long seen = Arrays.stream(pixels).filter(pixel -> (pixel & 0xffffff) == colour).count();
      assertTrue(seen > 500, () -> Ink.css(colour) + " in " + seen);
    }
    for (String other : List.of("a.jpg", "a", "a.gif")) {
      Path file = folder.resolve(other);
      String words = refused(() -> plot.write(file));
      assertTrue(words.contains(other) && words.contains(".svg"), words);
      assertTrue(Files.notExists(file));
    }
  }

  /** What cannot be drawn for another reason is not laid to fonts. */
  @Test
  void aPictureTooLargeIsSaidToBe() {
    Plot[] row = new Plot[6000];
    Arrays.fill(row, plot());
    String words = refused(() -> Plots.of(row.length, row).write(folder.resolve("a.png")));
    assertTrue(words.contains("too large"), words);
  }

  private static String refused(org.junit.jupiter.api.function.Executable call) {
    return assertThrows(IllegalArgumentException.class, call).getMessage();
  }

  @Test
  void whatDoesNotFitIsRefusedAndLeavesThePlotAsItWas() {
    Plot plot = plot().line("l", TEN, TEN);
    String before = plot.svg();
    double[] three = {1, 2, 3};
    assertTrue(refused(() -> plot.line("loss", TEN, three)).contains("\"loss\" has 2 values of x"));
    assertTrue(refused(() -> plot.points("", three, TEN)).contains("without a name"));
    assertTrue(refused(() -> plot.points("p", new double[][] {{1}})).contains("of 1 values"));
    assertTrue(refused(() -> plot.xRange(1, 1)).contains("from 1.0 to 1.0"));
    assertTrue(refused(() -> plot.yRange(0, Double.NaN)).contains("NaN"));
    assertTrue(refused(() -> plot().logX().xRange(0, 1).svg()).contains("begin at 0.0"));
    assertTrue(
        refused(() -> plot.contour("c", TEN, three, new double[2][2], 1)).contains("2 rows"));
    assertTrue(refused(() -> plot.contour("c", TEN, TEN, new double[3], 1)).contains("3 values"));
    assertTrue(
        refused(() -> plot.contour("c", new double[] {2, 1}, TEN, new double[2][2], 1))
            .contains("ascending"));
    assertTrue(refused(() -> plot.image(new double[0][])).contains("one row"));
    assertTrue(refused(() -> plot.image(new double[][] {{1}, {1, 2}})).contains("same length"));
    assertTrue(refused(() -> plot.image(new double[][] {{Double.NaN}})).contains("finite"));
    assertTrue(refused(() -> Plots.of(0, plot)).contains("0 columns"));
    assertTrue(refused(() -> Plots.of(2)).contains("0 plots"));
    assertEquals(before, plot.svg());
  }

  @Test
  void aPlotOfNothingHasAxes() {
    assertTrue(texts(plot().svg()).containsAll(List.of("0", "1")));
    assertTrue(texts(plot().logY().line("l", TEN, new double[] {-1, 0}).svg()).contains("10"));
    assertTrue(texts(plot().line("l", TEN, new double[] {3, 3}).svg()).contains("3"));
  }
}
