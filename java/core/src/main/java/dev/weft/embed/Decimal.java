// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Reads decimal numbers as float32, each as {@link Float#parseFloat} would.
 *
 * <p>Up to 15 digits and a power of ten up to 22 are exact in float64, so that one division or
 * product is rounded once; rounding that to float32 is right unless it lies in the middle of two
 * (Clinger 1990). Those, and longer numbers, go the slow way.
 */
final class Decimal {
  private static final double[] POWERS = new double[23];
  private static final int DIGITS = 15;
  private static final long MIDDLE = 1L << 28; // of the 29 bits that float32 lacks

  static {
    POWERS[0] = 1;
    for (int i = 1; i < POWERS.length; i++) {
      POWERS[i] = POWERS[i - 1] * 10;
    }
  }

  private float value;

  /** The number that was read last. */
  float value() {
    return value;
  }

  /** Reads a number; returns false where these bytes are none. */
  boolean parse(byte[] text, int from, int to) {
    int at = from;
    boolean negative = at < to && text[at] == '-';
    if (negative || at < to && text[at] == '+') {
      at++;
    }
    long mantissa = 0;
    int digits = 0; // without leading zeros
    int exponent = 0;
    boolean any = false;
    boolean point = false;
    for (; at < to; at++) {
      int c = text[at];
      if (c == '.' && !point) {
        point = true;
      } else if (c >= '0' && c <= '9') {
        any = true;
        exponent -= point ? 1 : 0;
        if (digits > 0 || c != '0') {
          digits++;
          mantissa = digits <= DIGITS ? mantissa * 10 + (c - '0') : mantissa;
        }
      } else {
        break;
      }
    }
    if (!any) {
      return name(text, at, to, negative);
    }
    if (at < to) {
      if ((text[at] | 0x20) != 'e') {
        return false;
      }
      at++;
      boolean down = at < to && text[at] == '-';
      if (down || at < to && text[at] == '+') {
        at++;
      }
      int start = at;
      int e = 0;
      for (; at < to && text[at] >= '0' && text[at] <= '9'; at++) {
        e = Math.min(100_000, e * 10 + text[at] - '0');
      }
      if (at == start || at < to) {
        return false;
      }
      exponent += down ? -e : e;
    }
    if (mantissa == 0) {
      value = negative ? -0f : 0f;
      return true;
    }
    if (digits <= DIGITS && Math.abs(exponent) < POWERS.length) {
      double exact = exponent < 0 ? mantissa / POWERS[-exponent] : mantissa * POWERS[exponent];
      boolean middle = (Double.doubleToRawLongBits(exact) & (2 * MIDDLE - 1)) == MIDDLE;
      if (!middle && exact >= Float.MIN_NORMAL && exact < Float.MAX_VALUE) {
        value = (float) (negative ? -exact : exact);
        return true;
      }
    }
    value = Float.parseFloat(new String(text, from, to - from, StandardCharsets.ISO_8859_1));
    return true;
  }

  /** What C and Python write for numbers that are none. */
  private boolean name(byte[] text, int from, int to, boolean negative) {
    if (to - from != 3 && to - from != 8) {
      return false;
    }
    Float named = named(new String(text, from, to - from, StandardCharsets.ISO_8859_1));
    value = named == null ? 0 : negative ? -named : named;
    return named != null;
  }

  private static @Nullable Float named(String word) {
    return switch (word.toLowerCase(Locale.ROOT)) {
      case "nan" -> Float.NaN;
      case "inf", "infinity" -> Float.POSITIVE_INFINITY;
      default -> null;
    };
  }
}
