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
      double length = Math.log(high) - Math.log(low);
      double extra = length == 0 ? Math.log(2) : more * length;
      double least = Math.min(low, Double.MIN_NORMAL);
      return new Axis(
          true,
          Math.max(low / Math.exp(extra), least),
          Math.min(high * Math.exp(extra), Double.MAX_VALUE));
    }
    double extra = low == high ? Math.max(Math.abs(low), 1) / 2 : more * (high - low);
    double top = Math.min(high + extra, Double.MAX_VALUE);
    return new Axis(false, Math.max(low - extra, top - Double.MAX_VALUE), top);
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
    double power = Math.pow(10, Math.floor(Math.log10(Math.max(rough, Double.MIN_NORMAL))));
    double step =
        power * (rough / power < 1.5 ? 1 : rough / power < 3.5 ? 2 : rough / power < 7.5 ? 5 : 10);
    List<Tick> ticks = new ArrayList<>();
    for (long i = (long) Math.ceil(low / step - 1e-9); i * step - step * 1e-9 <= high; i++) {
      ticks.add(new Tick(i * step, significant(i * step, DIGITS)));
    }
    return ticks;
  }

  /**
   * Powers of ten, labelled each or every second, third and so on; where they are few, 2 and 5
   * times, too, and where they are very many, none between the labels.
   */
  private List<Tick> decades() {
    int first = (int) Math.floor(Math.log10(low));
    int last = (int) Math.ceil(Math.log10(high));
    int stride = Math.max(1, (last - first + MANY_DECADES - 1) / MANY_DECADES);
    List<Tick> ticks = new ArrayList<>();
    for (int power = first; power <= last; power++) {
      for (int times : last - first < PLAIN ? new int[] {1, 2, 5} : new int[] {1}) {
        double value = times * Math.pow(10, power);
        boolean shown = stride <= MANY_DECADES || power % stride == 0;
        if (shown && value >= low * (1 - 1e-9) && value / (1 + 1e-9) <= high) {
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
