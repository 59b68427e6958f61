// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

/** The matrices that kernels are timed on. */
public enum KernelSize {
  /** 256 KiB: what a step of a small network works on. */
  CACHE(128, 512),
  /** 64 MiB: larger than the caches. */
  MEMORY(16384, 1024);

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
}
