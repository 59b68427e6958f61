// SPDX-License-Identifier: Apache-2.0
package dev.weft.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.AffineTransform;
import java.awt.geom.Path2D;
import java.awt.image.BufferedImage;
import java.util.List;

/** A picture in pixels, on a light page. */
final class PixelCanvas implements Canvas {
  private static final float MITRE = 10;

  private final Graphics2D to;

  /** Begins on {@code image}, with so many of its pixels to one of the picture's. */
  PixelCanvas(BufferedImage image, double scale) {
    this.to = image.createGraphics();
    to.setColor(new Color(Ink.PAPER.light));
    to.fillRect(0, 0, image.getWidth(), image.getHeight());
    to.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    to.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
    to.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    to.scale(scale, scale);
  }

  @Override
  public void lines(Ink ink, Pen pen, String name, List<double[]> lines) {
    Path2D path = new Path2D.Double();
    for (double[] line : lines) {
      path.moveTo(line[0], line[1]);
      for (int i = 2; i < line.length; i += 2) {
        path.lineTo(line[i], line[i + 1]);
      }
    }
    to.setColor(new Color(ink.light));
    to.setStroke(
        new BasicStroke(
            (float) pen.width,
            pen.round ? BasicStroke.CAP_ROUND : BasicStroke.CAP_SQUARE,
            BasicStroke.JOIN_ROUND,
            MITRE,
            pen.dashes.length == 0 ? null : pen.dashes,
            0));
    to.draw(path);
  }

  @Override
  public void text(Ink ink, Type type, Anchor anchor, double x, double y, String text) {
    to.setColor(new Color(ink.light));
    to.setFont(new Font(Font.SANS_SERIF, type == Type.TITLE ? Font.BOLD : Font.PLAIN, type.size));
    FontMetrics metrics = to.getFontMetrics();
    double left =
        switch (anchor) {
          case START -> x;
          case MIDDLE -> x - metrics.stringWidth(text) / 2.0;
          case END -> x - metrics.stringWidth(text);
        };
    to.drawString(text, (float) left, (float) y);
  }

  @Override
  public void upward(Ink ink, Type type, double x, double y, String text) {
    AffineTransform level = to.getTransform();
    to.translate(x, y);
    to.rotate(-Math.PI / 2);
    text(ink, type, Anchor.MIDDLE, 0, 0, text);
    to.setTransform(level);
  }

  @Override
  public void image(int[][] grey, double x, double y, double width, double height) {
    int rows = grey.length;
    int columns = grey[0].length;
    BufferedImage image = new BufferedImage(columns, rows, BufferedImage.TYPE_BYTE_GRAY);
    for (int i = 0; i < rows; i++) {
      image.getRaster().setPixels(0, i, columns, 1, grey[i]);
    }
    to.drawImage(image, new AffineTransform(width / columns, 0, 0, height / rows, x, y), null);
  }
}
