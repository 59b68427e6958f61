// SPDX-License-Identifier: Apache-2.0
package dev.weft.report;

import static dev.weft.format.Format.significant;

import java.util.ArrayList;
import java.util.List;

/**
 * Values along one side of a plot, from {@code low} at its beginning to {@code high} at its end.
 */
record Axis(boolean log, double low, double high) {
  private static final int TICKS = 5;
  private static final int MANY_DECADES = 6;
  private static final int DIGITS = 6;
  private static final int PLAIN = 3; // powers of ten up to which all digits are written
  private static final String RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";

  /** A value with a mark; its label may be empty. */
  record Tick(double value, String label) {}

  /** The axis that has room for all values from {@code low} to {@code high}, and a little more. */
  static Axis around(boolean log, double low, double high, double more) {
    if (!(low <= high)) { // there are none
      return new Axis(log, log ? 1 : 0, log ? 10 : 1);
    }
    if (log) {
      double extra = low == high ? Math.log(2) : more * Math.log(high / low);
      return new Axis(true, low / Math.exp(extra), high * Math.exp(extra));
    }
    double extra = low == high ? Math.max(Math.abs(low), 1) / 2 : more * (high - low);
    return new Axis(false, low - extra, high + extra);
  }

  /** Where a value is: 0 at the beginning, 1 at the end; NaN where it is nowhere. */
  double at(double value) {
    double place =
        log
            ? (Math.log(value) - Math.log(low)) / (Math.log(high) - Math.log(low))
            : (value - low) / (high - low);
    return Double.isFinite(place) ? place : Double.NaN;
  }

  List<Tick> ticks() {
    List<Tick> ticks = log ? decades() : List.of();
    return ticks.stream().filter(tick -> !tick.label.isEmpty()).count() > 1 ? ticks : even();
  }

  private List<Tick> even() {
    double rough = (high - low) / TICKS;
    double power = Math.pow(10, Math.floor(Math.log10(rough)));
    double step =
        power * (rough / power < 1.5 ? 1 : rough / power < 3.5 ? 2 : rough / power < 7.5 ? 5 : 10);
    List<Tick> ticks = new ArrayList<>();
    for (long i = (long) Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
      ticks.add(new Tick(i * step, significant(i * step, DIGITS)));
    }
    return ticks;
  }

  /**
   * Powers of ten, each or every second, third and so on; where they are few, 2 and 5 times, too.
   */
  private List<Tick> decades() {
    int first = (int) Math.floor(Math.log10(low));
    int last = (int) Math.ceil(Math.log10(high));
    int stride = (last - first + MANY_DECADES - 1) / MANY_DECADES;
    List<Tick> ticks = new ArrayList<>();
    for (int power = first; power <= last; power++) {
      for (int times : last - first < PLAIN ? new int[] {1, 2, 5} : new int[] {1}) {
        double value = times * Math.pow(10, power);
        if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) {
          ticks.add(new Tick(value, power % stride == 0 ? label(times, power) : ""));
        }
      }
    }
    return ticks;
  }

  private static String label(int times, int power) {
    if (Math.abs(power) <= PLAIN) {
      return significant(times * Math.pow(10, power), DIGITS);
    }
    StringBuilder label = new StringBuilder(times == 1 ? "10" : times + "·10");
    label.append(power < 0 ? "⁻" : "");
    for (char digit : Integer.toString(Math.abs(power)).toCharArray()) {
      label.append(RAISED.charAt(digit - '0'));
    }
    return label.toString();
  }
}
