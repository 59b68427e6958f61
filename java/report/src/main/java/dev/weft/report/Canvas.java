// SPDX-License-Identifier: Apache-2.0
package dev.weft.report;

import java.util.List;

/** What a picture is drawn on, in pixels from its upper left corner. */
interface Canvas {
  /** Where a text stands beside its point. */
  enum Anchor {
    START,
    MIDDLE,
    END
  }

  /** The size and weight of text. */
  enum Type {
    TITLE(13),
    LABEL(12),
    TICK(11);

    final int size;

    Type(int size) {
      this.size = size;
    }
  }

  /** Lines through points x0, y0, x1, y1 and so on; {@code name} says what they are, or nothing. */
  void lines(Ink ink, Pen pen, String name, List<double[]> lines);

  /** Text whose base line begins, has its middle or ends at a point. */
  void text(Ink ink, Type type, Anchor anchor, double x, double y, String text);

  /** Text that is read upward, its middle at a point. */
  void upward(Ink ink, Type type, double x, double y, String text);

  /** Grey values, {@code grey[row][column]} of 0 (black) to 255, the first row on top. */
  void image(int[][] grey, double x, double y, double width, double height);
}
