// SPDX-License-Identifier: Apache-2.0
package dev.weft.format;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Text with numbers in it, the same on every machine, whatever its locale. */
public final class Format {
  private Format() {}

  /**
   * {@link String#format} under {@link Locale#ROOT}: ASCII digits, a point, commas for thousands.
   */
  public static String format(String format, @Nullable Object... values) {
    return String.format(Locale.ROOT, format, values);
  }

  /**
   * {@code 0.7311}, {@code 12}, {@code 3.5e-07}: a number with so many significant digits, without
   * the zeros that would end it.
   */
  public static String significant(double value, int digits) {
    if (value == 0 || !Double.isFinite(value)) {
      return value == 0 ? "0" : Double.toString(value);
    }
    BigDecimal rounded =
        BigDecimal.valueOf(value).round(new MathContext(digits)).stripTrailingZeros();
    int exponent = rounded.precision() - rounded.scale() - 1;
    return exponent >= -4 && exponent < Math.max(6, digits)
        ? rounded.toPlainString()
        : format("%." + (rounded.precision() - 1) + "e", value);
  }

  /** {@code 1 thread}, {@code 2 threads}: a count and a noun whose plural ends in s. */
  public static String count(long count, String noun) {
    return format("%,d %s%s", count, noun, count == 1 ? "" : "s");
  }

  /**
   * What is shown of text that comes from a file: control characters and ends of lines as {@code
   * \\u0007}, so that they do nothing to a terminal, and no more than {@code longest} characters
   * before "...".
   */
  public static String shown(String text, int longest) {
    StringBuilder shown = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean control = Character.isISOControl(c) || c == '\u2028' || c == '\u2029';
      String one = control ? format("\\u%04X", (int) c) : Character.toString(c);
      if (shown.length() + one.length() > longest) {
        return shown + "...";
      }
      shown.append(one);
    }
    return shown.toString();
  }
}
