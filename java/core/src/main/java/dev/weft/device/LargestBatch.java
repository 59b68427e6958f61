// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static dev.weft.format.Format.format;

/**
 * How many rows a step may have so that a device has the memory for it: a step of n rows takes
 * {@code fixed + n byRow} bytes, which is an estimate, since memory is given out in pieces.
 *
 * @param fixed bytes that a step takes whatever its rows
 * @param byRow bytes that it takes for each row
 * @param free bytes that a step can have; {@link Long#MAX_VALUE} where that is not known
 */
public record LargestBatch(long fixed, long byRow, long free) {

  /**
   * From what steps of two sizes took, which may have been recorded and never run.
   *
   * @throws IllegalArgumentException where the second has not more rows than the first
   */
  public static LargestBatch measured(
      long rows, long bytes, long moreRows, long moreBytes, long free) {
    if (rows < 1 || moreRows <= rows) {
      throw new IllegalArgumentException(
          format("a step of %d rows does not follow one of %d", moreRows, rows));
    }
    long byRow = Math.max(0, (moreBytes - bytes) / (moreRows - rows));
    return new LargestBatch(Math.max(0, bytes - rows * byRow), byRow, free);
  }

  /** About as many rows as fit, two digits of it, rounded down; 0 where none does. */
  public long rows() {
    if (free < fixed + byRow) {
      return 0;
    }
    long rows = byRow == 0 ? Long.MAX_VALUE : (free - fixed) / byRow;
    long grain = 1;
    while (rows / grain >= 100) {
      grain *= 10;
    }
    return rows / grain * grain;
  }

  /**
   * What a user may do whose step had no memory, as the end of a sentence: {@code a batch of about
   * 1,200 rows would fit}; empty where the estimate knows nothing better.
   *
   * @param failed the rows of the step that did not fit
   */
  public String advice(long failed) {
    if (free == Long.MAX_VALUE) {
      return "";
    }
    long rows = rows();
    if (rows == 0) {
      return format(
          "not one row would fit: a step takes %,d bytes and %,d for each row, and about %,d are"
              + " free",
          fixed, byRow, free);
    }
    return rows < failed
        ? format("a batch of about %,d %s would fit", rows, rows == 1 ? "row" : "rows")
        : "";
  }

  /** The same failure, with what the user may do. */
  public OutOfDeviceMemoryException explain(OutOfDeviceMemoryException failure, long failed) {
    String advice = advice(failed);
    if (advice.isEmpty()) {
      return failure;
    }
    var explained = new OutOfDeviceMemoryException(format("%s: %s", failure.getMessage(), advice));
    explained.initCause(failure);
    return explained;
  }
}
