// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import java.io.PrintWriter;
import java.util.List;

/** A table printed row by row, in columns of fixed widths; what is wider pushes the rest aside. */
final class Table {

  /** Where text stands in its column. */
  enum Align {
    LEFT,
    RIGHT
  }

  /**
   * A column.
   *
   * @param width 0 for the last one, which takes what it needs
   */
  record Column(String title, int width, Align align) {}

  private final PrintWriter out;
  private final List<Column> columns;

  /** Prints the titles. */
  Table(PrintWriter out, Column... columns) {
    this.out = out;
    this.columns = List.of(columns);
    row(this.columns.stream().map(Column::title).toArray());
  }

  static Column left(String title, int width) {
    return new Column(title, width, Align.LEFT);
  }

  static Column right(String title, int width) {
    return new Column(title, width, Align.RIGHT);
  }

  /** Prints a row. */
  void row(Object... cells) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < cells.length; i++) {
      String text = String.valueOf(cells[i]);
      String gap = " ".repeat(Math.max(0, columns.get(i).width() - text.length()));
      line.append(i == 0 ? "" : "  ")
          .append(columns.get(i).align() == Align.LEFT ? text + gap : gap + text);
    }
    out.println(line.toString().stripTrailing());
    out.flush();
  }
}
