// SPDX-License-Identifier: Apache-2.0
package dev.weft.report;

import static dev.weft.format.Format.format;

import dev.weft.format.Markup;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.function.ToIntFunction;

/** A picture as SVG whose colours follow the page's theme and whose text is text. */
final class SvgCanvas implements Canvas {
  private static final String FONT =
      "system-ui,-apple-system,'Segoe UI',Helvetica,Arial,'DejaVu Sans',sans-serif";

  private final StringBuilder out = new StringBuilder();

  /** Begins a picture; {@code title} is what a reader who cannot see it is told. */
  SvgCanvas(double width, double height, String title) {
    out.append(
        format(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %1$.0f %2$.0f\""
                + " width=\"%1$.0f\" height=\"%2$.0f\" role=\"img\">\n<title>%3$s</title>\n%4$s"
                + "<rect class=\"paper\" width=\"100%%\" height=\"100%%\" rx=\"6\"/>\n",
            width, height, Markup.escape(title), style()));
  }

  private static String style() {
    StringBuilder css = new StringBuilder("<style>\n");
    css.append("path{fill:none;stroke-linejoin:round}text{font-family:").append(FONT).append("}\n");
    for (Pen pen : Pen.values()) {
      css.append(format(".%s{stroke-width:%s", pen.key(), number(pen.width)));
      css.append(pen.round ? ";stroke-linecap:round" : ";stroke-linecap:square");
      for (int i = 0; i < pen.dashes.length; i++) {
        css.append(i == 0 ? ";stroke-dasharray:" : " ").append(number(pen.dashes[i]));
      }
      css.append('}');
    }
    css.append('\n');
    for (Type type : Type.values()) {
      css.append(format(".%s{font-size:%dpx", name(type), type.size));
      css.append(type == Type.TITLE ? ";font-weight:600}" : "}");
    }
    css.append("\n.middle,.up{text-anchor:middle}.end{text-anchor:end}\n");
    css.append(colours(ink -> ink.light)).append("\n@media(prefers-color-scheme:dark){");
    return css.append(colours(ink -> ink.dark)).append("}\n</style>\n").toString();
  }

  private static String colours(ToIntFunction<Ink> theme) {
    StringBuilder css = new StringBuilder();
    for (Ink ink : Ink.values()) {
      String colour = Ink.css(theme.applyAsInt(ink));
      css.append(
          ink == Ink.PAPER
              ? format(".paper{fill:%s}", colour)
              : format("path.%1$s{stroke:%2$s}text.%1$s{fill:%2$s}", ink.key(), colour));
    }
    return css.toString();
  }

  private static String name(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  /** A tenth of a pixel is as near as is seen. */
  private static String number(double value) {
    long tenths = Math.round(value * 10);
    String sign = tenths < 0 ? "-" : "";
    long size = Math.abs(tenths);
    return sign + size / 10 + (size % 10 == 0 ? "" : "." + size % 10);
  }

  @Override
  public void lines(Ink ink, Pen pen, String name, List<double[]> lines) {
    if (lines.isEmpty()) {
      return;
    }
    out.append(format("<path class=\"%s %s\" d=\"", ink.key(), pen.key()));
    for (double[] line : lines) {
      for (int i = 0; i < line.length; i += 2) {
        out.append(i == 0 ? 'M' : ' ')
            .append(number(line[i]))
            .append(',')
            .append(number(line[i + 1]));
      }
    }
    out.append('"');
    out.append(name.isEmpty() ? "/>\n" : "><title>" + Markup.escape(name) + "</title></path>\n");
  }

  @Override
  public void text(Ink ink, Type type, Anchor anchor, double x, double y, String text) {
    out.append(
        format(
            "<text class=\"%s %s %s\" x=\"%s\" y=\"%s\">%s</text>\n",
            ink.key(), name(type), name(anchor), number(x), number(y), Markup.escape(text)));
  }

  @Override
  public void upward(Ink ink, Type type, double x, double y, String text) {
    out.append(
        format(
            "<text class=\"%s %s up\" transform=\"translate(%s,%s) rotate(-90)\">%s</text>\n",
            ink.key(), name(type), number(x), number(y), Markup.escape(text)));
  }

  @Override
  public void image(int[][] grey, double x, double y, double width, double height) {
    out.append(
        format(
            "<image x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\" preserveAspectRatio=\"none\""
                + " style=\"image-rendering:pixelated\" href=\"data:image/png;base64,%s\"/>\n",
            number(x),
            number(y),
            number(width),
            number(height),
            Base64.getEncoder().encodeToString(GreyPng.of(grey))));
  }

  String svg() {
    return out + "</svg>\n";
  }
}
