// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

/**
 * bfloat16 in host memory: the upper half of a float32, so its range, with 8 significant bits. The
 * same conversions as in {@code native/math/bf16.h}.
 */
public final class Bfloat16 {
  private static final int NAN = 0x7fff;

  private Bfloat16() {}

  /** Rounded to the nearest, ties to even; every NaN becomes 0x7fff. */
  public static short bits(float value) {
    if (Float.isNaN(value)) {
      return NAN;
    }
    int whole = Float.floatToRawIntBits(value);
    return (short) (whole + 0x7fff + (whole >>> 16 & 1) >>> 16);
  }

  /** The value, which is exact. */
  public static float value(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  /** Rounded to bfloat16. */
  public static float round(float value) {
    return value(bits(value));
  }
}
