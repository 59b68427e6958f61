// SPDX-License-Identifier: Apache-2.0
package dev.weft.report;

/** How a line is drawn. A line of no length is a dot under a round cap, a square under another. */
enum Pen {
  HAIR(0.8, true),
  FRAME(1, true),
  SOLID(1.8, true),
  DASHED(1.8, true, 7, 4),
  DOTTED(1.8, true, 1, 4),
  MIXED(1.8, true, 8, 4, 1, 4),
  DOT(5.5, true),
  SQUARE(5, false),
  MARK(1.5, true);

  private static final Pen[] LINES = {SOLID, DASHED, DOTTED, MIXED};
  private static final int BEFORE_NEXT = 4;

  final double width;
  final boolean round;
  final float[] dashes;

  Pen(double width, boolean round, float... dashes) {
    this.width = width;
    this.round = round;
    this.dashes = dashes;
  }

  /** The pen of the line with a number: colours that are near each other differ in their dashes. */
  static Pen line(int number) {
    return LINES[number / BEFORE_NEXT % LINES.length];
  }

  /** Its class in a style sheet. */
  String key() {
    return "p" + ordinal();
  }
}
