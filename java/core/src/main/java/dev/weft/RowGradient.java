// SPDX-License-Identifier: Apache-2.0
package dev.weft;

/**
 * The gradient of a table by the rows that a pass used: for each of them its id in {@code sorted},
 * as often as it was used, and in {@code sums} what is to be added up. {@code native/abi/table.h}
 * says how.
 *
 * @param sorted ids, ascending, int32 (rows)
 * @param sums sums over tiles of them (rows, width), undefined where none begins, and for negative
 *     ids
 */
public record RowGradient(Tensor sorted, Tensor sums) {
  /** How many ids there are, each as often as it was used. */
  public long rows() {
    return sums.shape().size(0);
  }

  /** The width of a row. */
  public long cols() {
    return sums.shape().size(1);
  }
}
