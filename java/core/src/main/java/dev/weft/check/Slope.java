// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import static dev.weft.format.Format.format;

import dev.weft.check.GradientReport.Deviation;
import dev.weft.check.GradientReport.Kink;
import dev.weft.check.GradientReport.Measure;
import org.jspecify.annotations.Nullable;

/**
 * Holds one slope of L = Σ dy_i y_i, along a line through the inputs, against differences. Where
 * the central one at the usual step disagrees, finer steps tell a bend or kink nearby, a kink at
 * the very place and a place without a derivative from a gradient that is wrong.
 */
final class Slope {

  /** The function along a line through the inputs. */
  interface Line {
    /** The results at a signed distance. */
    double[] at(double t);

    /** The distance itself, as far as inputs can be moved by it. */
    double moved(double t);
  }

  /**
   * What was found: a deviation or a kink, the other null.
   *
   * @param plain whether the central difference at the usual step agrees
   */
  record Finding(@Nullable Deviation deviation, @Nullable Kink kink, boolean plain) {
    boolean agrees(double tolerance) {
      return deviation != null && deviation.error() <= tolerance;
    }
  }

  private static final double NOISE = 1e-4;

  /** Steps after the usual one, each a 16th of the one before: down to 2⁻³³. */
  private static final int FINER = 4;

  private static final double RATIO = 16;

  /** How many units of rounding a difference must exceed to say something. */
  private static final double ROUNDINGS = 8;

  private final double[] y;
  private final double[] dy;
  private final double unit;
  private final double tolerance;

  /**
   * Slopes at a place.
   *
   * @param y the results there, all finite
   * @param dy their weights in L
   * @param unit what reported slopes are divided by
   */
  Slope(double[] y, double[] dy, double unit, double tolerance) {
    this.y = y;
    this.dy = dy;
    this.unit = unit;
    this.tolerance = tolerance;
  }

  /** The differences at one step; those of L. */
  private record Sides(
      double step, double central, double before, double after, double scale, double size) {
    double jump() {
      return Math.abs(after - before);
    }

    double largest() {
      return Math.max(Math.abs(before), Math.abs(after));
    }

    double noise(double usualSize) {
      return Math.ulp(1.0) * usualSize / step;
    }
  }

  /** Compares {@code analytic} with differences of the step {@code h} and, where needed, finer. */
  Finding judge(Measure measure, long place, double analytic, Line line, double h, double rms) {
    double[] plus = line.at(h);
    double[] minus = line.at(-h);
    String undefined = undefined(plus, minus, h);
    Sides usual = sides(line, plus, minus, h);
    if (undefined.isEmpty() && !isFinite(usual)) {
      undefined = "the differences overflow float64";
    }
    if (!undefined.isEmpty()) {
      return none(measure, place, analytic, usual, undefined);
    }
    double scale = Math.max(rms, NOISE * usual.scale());
    Deviation first = deviation(measure, place, analytic, usual.central(), scale);
    if (first.error() <= tolerance) {
      return new Finding(first, null, true);
    }
    Sides last = usual;
    double change = 0;
    int finer = 0;
    for (double t = h / RATIO; finer < FINER; t /= RATIO) {
      Sides next = sides(line, line.at(t), line.at(-t), t);
      double noise = next.noise(usual.size());
      boolean exact = noise <= tolerance * size(analytic, next.central(), scale);
      if (!isFinite(next) || next.size() == 0 || !exact && ROUNDINGS * noise > next.jump()) {
        break; // rounding hides what a finer step would show
      }
      Deviation again = deviation(measure, place, analytic, next.central(), scale);
      if (exact && again.error() <= tolerance) {
        return new Finding(again, null, false);
      }
      change =
          Math.max(Math.abs(next.after() - last.after()), Math.abs(next.before() - last.before()));
      last = next;
      finer++;
    }
    if (finer > 0 && last.largest() > 0 && last.largest() >= Math.pow(2, finer) * usual.largest()) {
      String growing =
          "the differences grow as the step becomes smaller, without end or by rounding";
      return none(measure, place, analytic, usual, growing);
    }
    if (finer == 0 && analytic == 0 && isFlatOnOneSide(line, usual)) {
      return kink(measure, place, analytic, usual);
    }
    // the sides of a smooth function come nearer by 1/16 with each finer step, those of rounding go
    // apart by 16, those of a kink stay
    boolean apart =
        finer > 0
            && last.jump() >= usual.jump() / Math.pow(4, finer)
            && last.jump() <= 2 * usual.jump();
    double slack =
        tolerance * Math.max(size(analytic, last.after(), scale), Math.abs(last.before()))
            + ROUNDINGS * last.noise(usual.size())
            + change / (RATIO - 1);
    boolean between =
        analytic >= Math.min(last.before(), last.after()) - slack
            && analytic <= Math.max(last.before(), last.after()) + slack;
    return apart && last.jump() > 0 && between
        ? kink(measure, place, analytic, last)
        : new Finding(first, null, false);
  }

  private Finding kink(Measure measure, long place, double analytic, Sides sides) {
    Kink kink =
        new Kink(measure, place, analytic / unit, sides.before() / unit, sides.after() / unit);
    return new Finding(null, kink, false);
  }

  /**
   * Whether the function rests at this place and to one side of it, and a kink is to the other side
   * within the step. That finer steps move nothing would not show it: rounding could hide a slope.
   * Beyond a kink the movement grows by more than the step, that of rounding by less.
   */
  private boolean isFlatOnOneSide(Line line, Sides usual) {
    double h = RATIO * usual.step();
    Sides wide = sides(line, line.at(h), line.at(-h), h);
    boolean before = usual.before() == 0 && wide.before() == 0;
    boolean after = usual.after() == 0 && wide.after() == 0;
    return before != after && isFinite(wide) && wide.largest() > usual.largest() * (1 - 1 / RATIO);
  }

  private Finding none(
      Measure measure, long place, double analytic, Sides usual, String undefined) {
    return new Finding(
        new Deviation(
            measure,
            place,
            analytic / unit,
            usual.central() / unit,
            Double.POSITIVE_INFINITY,
            undefined),
        null,
        false);
  }

  private static String undefined(double[] plus, double[] minus, double h) {
    int above = notFinite(plus);
    int below = notFinite(minus);
    if (above < 0 && below < 0) {
      return "";
    }
    boolean up = above >= 0;
    return format(
        "result %d of the function is %s where the input is %.3g %s",
        up ? above : below, up ? plus[above] : minus[below], h, up ? "more" : "less");
  }

  /** The first element that is NaN or infinite, or -1. */
  static int notFinite(double[] values) {
    for (int i = 0; i < values.length; i++) {
      if (!Double.isFinite(values[i])) {
        return i;
      }
    }
    return -1;
  }

  private static boolean isFinite(Sides sides) {
    return Double.isFinite(sides.central())
        && Double.isFinite(sides.before())
        && Double.isFinite(sides.after());
  }

  private Sides sides(Line line, double[] plus, double[] minus, double h) {
    double up = line.moved(h);
    double down = -line.moved(-h);
    double scale = 0;
    double size = 0;
    for (int i = 0; i < dy.length; i++) {
      double large = Math.abs(dy[i]) * Math.max(Math.abs(plus[i]), Math.abs(minus[i]));
      if (plus[i] != minus[i]) {
        scale += large;
      }
      if (plus[i] != y[i] || minus[i] != y[i]) {
        size += Math.max(large, Math.abs(dy[i] * y[i]));
      }
    }
    return new Sides(
        h, dot(plus, minus) / (up + down), dot(y, minus) / down, dot(plus, y) / up, scale, size);
  }

  private double dot(double[] plus, double[] minus) {
    double sum = 0;
    for (int i = 0; i < dy.length; i++) {
      sum += dy[i] * (plus[i] - minus[i]);
    }
    return sum;
  }

  private static double size(double analytic, double numeric, double scale) {
    return Math.max(Math.max(Math.abs(analytic), Math.abs(numeric)), scale);
  }

  /** Compares two slopes of L. */
  Deviation deviation(Measure measure, long place, double analytic, double numeric, double scale) {
    double difference = Math.abs(analytic - numeric);
    double error = difference == 0 ? 0 : difference / size(analytic, numeric, scale);
    boolean finite =
        Double.isFinite(analytic) && Double.isFinite(numeric) && Double.isFinite(error);
    return new Deviation(
        measure,
        place,
        analytic / unit,
        numeric / unit,
        finite ? error : Double.POSITIVE_INFINITY,
        "");
  }
}
