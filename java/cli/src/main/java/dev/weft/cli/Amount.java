// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

/** Amounts as text. */
final class Amount {
  private Amount() {}

  /** Bytes in units of 1024: {@code 61.8 MiB}. */
  static String bytes(long bytes) {
    if (bytes >= 10L << 30) {
      return format("%,.1f GiB", bytes / (double) (1L << 30));
    }
    return bytes >= 1 << 20
        ? format("%,.1f MiB", bytes / (double) (1 << 20))
        : format("%,.1f KiB", bytes / 1024.0);
  }

  /** A share as {@code 98.41 %}. */
  static String percent(double share) {
    return format("%.2f %%", 100 * share);
  }

  /** A count with its thousands apart. */
  static String count(double count) {
    return format("%,d", Math.round(count));
  }

  /** Seconds, two digits behind the point. */
  static String seconds(double seconds) {
    return format("%.2f s", seconds);
  }
}
