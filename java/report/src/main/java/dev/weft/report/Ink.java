// SPDX-License-Identifier: Apache-2.0
package dev.weft.report;

import static dev.weft.format.Format.format;

/**
 * The colours of a picture on a light and on a dark page. Those of series are Okabe and Ito's,
 * which the colour-blind tell apart, made darker or lighter where the page would swallow them.
 */
enum Ink {
  PAPER(0xffffff, 0x0d1117),
  TEXT(0x1f2328, 0xe6edf3),
  MUTED(0x57606a, 0x8b949e),
  GRID(0xe3e7eb, 0x21262d),
  LEVEL(0xa8b1ba, 0x565e68),
  BLUE(0x0072b2, 0x56b4e9),
  VERMILLION(0xd55e00, 0xe5701a),
  GREEN(0x00875f, 0x00b386),
  PURPLE(0xb0578d, 0xcc79a7),
  ORANGE(0xa87000, 0xe69f00),
  BLACK(0x1f2328, 0xe6edf3),
  SKY(0x2f8fc6, 0xb3dff7),
  OLIVE(0x857a00, 0xf0e442);

  private static final Ink[] SERIES = {BLUE, VERMILLION, GREEN, PURPLE, ORANGE, BLACK, SKY, OLIVE};

  final int light;
  final int dark;

  Ink(int light, int dark) {
    this.light = light;
    this.dark = dark;
  }

  /** The colour of the series with a number; there are eight. */
  static Ink series(int number) {
    return SERIES[number % SERIES.length];
  }

  /** Its class in a style sheet. */
  String key() {
    return (char) ('a' + ordinal()) + "";
  }

  static String css(int colour) {
    return format("#%06x", colour);
  }
}
