// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

import static dev.weft.format.Format.format;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** A table of text: some columns to the left, all others to the right. */
public final class Table {
  private final String title;
  private final int leftColumns;
  private final List<String[]> rows = new ArrayList<>();

  /** A table whose first {@code leftColumns} columns hold words, the others numbers. */
  public Table(String title, int leftColumns, String... heads) {
    this.title = title;
    this.leftColumns = leftColumns;
    rows.add(heads);
  }

  /**
   * Adds a row.
   *
   * @throws IllegalArgumentException where it has another number of cells than the head
   */
  public void add(String... cells) {
    if (cells.length != rows.getFirst().length) {
      throw new IllegalArgumentException(
          format(
              "%d cells in a table of %d columns: %s",
              cells.length, rows.getFirst().length, Arrays.toString(cells)));
    }
    // a cell is one line, also in text and Markdown
    rows.add(
        Arrays.stream(cells)
            .map(cell -> cell.replaceAll("\\s*\\R\\s*", " "))
            .toArray(String[]::new));
  }

  /** Whether it has only a head. */
  public boolean isEmpty() {
    return rows.size() == 1;
  }

  /** Its title. */
  public String title() {
    return title;
  }

  /** Title and rows, a line each. */
  public String text() {
    int[] widths = new int[rows.getFirst().length];
    Arrays.fill(widths, 1);
    for (String[] row : rows) {
      for (int c = 0; c < widths.length; c++) {
        widths[c] = Math.max(widths[c], row[c].length());
      }
    }
    StringBuilder text = new StringBuilder(title).append('\n');
    for (String[] row : rows) {
      StringBuilder line = new StringBuilder("  ");
      for (int c = 0; c < widths.length; c++) {
        line.append(format("%" + (c < leftColumns ? "-" : "") + widths[c] + "s  ", row[c]));
      }
      text.append(line.toString().stripTrailing()).append('\n');
    }
    return text.toString();
  }

  /** As a Markdown table below its title. */
  public String markdown() {
    StringBuilder text = new StringBuilder(title).append("\n\n");
    for (String[] row : rows) {
      text.append("| ")
          .append(
              Arrays.stream(row)
                  .map(cell -> cell.replace("|", "\\|"))
                  .collect(Collectors.joining(" | ")))
          .append(" |\n");
      if (row == rows.getFirst()) {
        for (int c = 0; c < row.length; c++) {
          text.append(c < leftColumns ? "| --- " : "| ---: ");
        }
        text.append("|\n");
      }
    }
    return text.toString();
  }

  /** As an HTML table. */
  String html() {
    StringBuilder html = new StringBuilder("<table><caption>");
    html.append(Html.escape(title)).append("</caption>\n");
    for (String[] row : rows) {
      String cell = row == rows.getFirst() ? "th" : "td";
      html.append("<tr>");
      for (int c = 0; c < row.length; c++) {
        String kind = c < leftColumns ? "" : " class=\"n\"";
        html.append(format("<%s%s>%s</%s>", cell, kind, Html.escape(row[c]), cell));
      }
      html.append("</tr>\n");
    }
    return html.append("</table>\n").toString();
  }
}
