// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import java.util.ArrayList;
import java.util.List;

/** A table of text: the first column to the left, all others to the right. */
final class Table {
  private final List<String[]> rows = new ArrayList<>();

  Table(String... heads) {
    rows.add(heads);
  }

  void add(String... cells) {
    rows.add(cells);
  }

  /** Prints all of it under a title. */
  void print(String title) {
    int columns = rows.getFirst().length;
    int[] widths = new int[columns];
    for (String[] row : rows) {
      for (int c = 0; c < columns; c++) {
        widths[c] = Math.max(widths[c], row[c].length());
      }
    }
    System.out.printf("%n%s%n", title);
    for (String[] row : rows) {
      StringBuilder line = new StringBuilder("  ");
      for (int c = 0; c < columns; c++) {
        line.append(("%" + (c == 0 ? "-" : "") + widths[c] + "s  ").formatted(row[c]));
      }
      System.out.println(line.toString().stripTrailing());
    }
  }
}
