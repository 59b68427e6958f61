// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.kernel;

import static java.util.Locale.ROOT;

/** The matrices that kernels are timed on, four bytes an element. */
public enum KernelSize {
  /** 256 KiB: what a step of a small network works on. */
  CACHE(128, 512),
  /**
   * 128 MiB: larger than the caches of GPUs and of most processors. Some have more, such as an EPYC
   * with 256 MB of third-level cache; there it is not memory that is timed.
   */
  MEMORY(16384, 2048),
  /** Nothing divides it: for tests. */
  ODD(13, 131);

  private final int rows;
  private final int cols;

  KernelSize(int rows, int cols) {
    this.rows = rows;
    this.cols = cols;
  }

  /** Rows. */
  int rows() {
    return rows;
  }

  /** Columns. */
  int cols() {
    return cols;
  }

  /** Elements. */
  long elements() {
    return (long) rows * cols;
  }

  /** As it is printed. */
  public String word() {
    return name().toLowerCase(ROOT);
  }
}
