// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.kernel;

import static dev.weft.format.Format.format;

/**
 * Sizes of a call: of most a matrix (rows, cols). A reduction is of (outer, rows, cols) over rows,
 * a gather of rows out of outer, a product (rows, outer) (outer, cols).
 */
public record Sizes(long outer, long rows, long cols, long parts) {
  long elements() {
    return outer * rows * cols;
  }

  /** What a reduction is of. */
  String axis() {
    return cols > 1 ? "columns" : outer > 1 ? "rows" : "all";
  }

  @Override
  public String toString() {
    String all = format("%d x %d x %d", outer, rows, cols);
    return parts == 1 ? all : format("%s in %d parts", all, parts);
  }
}
