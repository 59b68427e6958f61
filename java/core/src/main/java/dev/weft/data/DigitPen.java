// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;

/**
 * Writes one digit after the other on a 28 x 28 sheet, each in a hand of its own: which way, how
 * large, slanted and turned, how thick and how steady comes from the generator. Only operations
 * whose result Java fixes to the bit (+ - * /, sqrt, StrictMath), so bytes are the same everywhere.
 */
final class DigitPen {
  static final int SIDE = 28;
  static final int PIXELS = SIDE * SIDE;

  private static final int PIECES = 4; // straight pieces of a curve between two of its points
  private static final double WOBBLE = 0.034; // of a point, in the unit square
  private static final double NOISE = 32; // of a pixel, of 255

  private final double[] distance = new double[PIXELS]; // squared, of each pixel from the pen's way

  @SuppressWarnings("NullAway.Init") // that of the digit being written
  private SplitMix64 random;

  private double xx, xy, yx, yy, left, top; // unit square -> pixels
  private double radius, reach;

  /** Writes {@code digit} to the 784 bytes of {@code sheet} from {@code offset}. */
  void write(int digit, SplitMix64 generator, MemorySegment sheet, long offset) {
    random = generator;
    Arrays.fill(distance, Double.MAX_VALUE);
    List<DigitStrokes.Stroke[]> ways = DigitStrokes.ways(digit);
    DigitStrokes.Stroke[] way = ways.get(random.nextInt(ways.size()));
    takeHand();
    for (DigitStrokes.Stroke stroke : way) {
      draw(stroke);
    }
    ink(sheet, offset);
  }

  private void takeHand() {
    double angle = 0.16 * random.nextGaussian();
    double slant = 0.18 * random.nextGaussian() - 0.08;
    double width = random.uniform(15, 24);
    double height = random.uniform(18, 25);
    double cos = StrictMath.cos(angle);
    double sin = StrictMath.sin(angle);
    xx = width * cos;
    yx = width * sin;
    xy = height * (slant * cos - sin);
    yy = height * (slant * sin + cos);
    double centre = (SIDE - 1) / 2.0;
    left = centre + random.uniform(-2.25, 2.25) - (xx + xy) / 2;
    top = centre + random.uniform(-2.25, 2.25) - (yx + yy) / 2;
    radius = random.uniform(0.7, 1.7);
    reach = radius + 1.2;
  }

  /** A Catmull-Rom curve through the wobbled points; a corner has no tangent of its own. */
  private void draw(DigitStrokes.Stroke stroke) {
    int points = stroke.x().length;
    double[] x = new double[points];
    double[] y = new double[points];
    for (int i = 0; i < points; i++) {
      double u = stroke.x()[i] + WOBBLE * random.nextGaussian();
      double v = stroke.y()[i] + WOBBLE * random.nextGaussian();
      x[i] = left + xx * u + xy * v;
      y[i] = top + yx * u + yy * v;
    }
    for (int i = 0; i + 1 < points; i++) {
      int before = i == 0 || stroke.corner()[i] ? i : i - 1;
      int after = i + 2 == points || stroke.corner()[i + 1] ? i + 1 : i + 2;
      double fromX = x[i];
      double fromY = y[i];
      for (int piece = 1; piece <= PIECES; piece++) {
        double t = piece / (double) PIECES;
        double toX = curve(x[before], x[i], x[i + 1], x[after], t);
        double toY = curve(y[before], y[i], y[i + 1], y[after], t);
        line(fromX, fromY, toX, toY);
        fromX = toX;
        fromY = toY;
      }
    }
  }

  private static double curve(double a, double b, double c, double d, double t) {
    return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
  }

  private void line(double x0, double y0, double x1, double y1) {
    double dx = x1 - x0;
    double dy = y1 - y0;
    double scale = 1 / Math.max(dx * dx + dy * dy, 1e-12);
    int fromRow = (int) Math.max(0, Math.min(y0, y1) - reach);
    int toRow = (int) Math.min(SIDE - 1, Math.max(y0, y1) + reach);
    int fromColumn = (int) Math.max(0, Math.min(x0, x1) - reach);
    int toColumn = (int) Math.min(SIDE - 1, Math.max(x0, x1) + reach);
    for (int row = fromRow; row <= toRow; row++) {
      for (int column = fromColumn; column <= toColumn; column++) {
        double px = column - x0;
        double py = row - y0;
        double along = Math.max(0, Math.min(1, (px * dx + py * dy) * scale));
        double offX = px - along * dx;
        double offY = py - along * dy;
        int pixel = row * SIDE + column;
        distance[pixel] = Math.min(distance[pixel], offX * offX + offY * offY);
      }
    }
  }

  private void ink(MemorySegment sheet, long offset) {
    double darkness = random.uniform(170, 255);
    double edge = random.uniform(0.8, 1.6); // pixels over which ink fades: the blur
    long bits = 0;
    for (int pixel = 0; pixel < PIXELS; pixel++) {
      if (pixel % 4 == 0) {
        bits = random.nextLong();
      }
      // The sum of two uniform bytes: a triangle on (-1, 1), most of it near 0.
      double noise = ((bits & 0xFF) + ((bits >>> 8) & 0xFF) - 255) / 255.0;
      bits >>>= 16;
      double near = distance[pixel];
      double cover =
          near >= reach * reach
              ? 0
              : Math.max(0, Math.min(1, (radius + edge / 2 - Math.sqrt(near)) / edge));
      double value = darkness * cover + NOISE * noise;
      byte level = (byte) Math.max(0, Math.min(255, (int) (value + 0.5)));
      sheet.set(ValueLayout.JAVA_BYTE, offset + pixel, level);
    }
  }
}
