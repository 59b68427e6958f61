// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.kernel;

import static java.util.Locale.ROOT;

import java.util.List;

/** The matrices that kernels are timed on, four bytes an element. */
public enum KernelSize {
  /** 256 KiB: what a step of a small network works on. */
  CACHE(128, 512),
  /**
   * 128 MiB: larger than the caches of GPUs and of most processors. Some have more, such as an EPYC
   * with 256 MB of third-level cache; there it is not memory that is timed.
   */
  MEMORY(16384, 2048),
  /**
   * 4 MiB: what a batch of 8,192 ids takes out of a table of 60,000 rows of 128 columns. Its copy
   * takes as many rows, which lie evenly apart in such a table.
   */
  EMBEDDING(8192, 128),
  /** Nothing divides it: for tests. */
  ODD(13, 131);

  /** The case of every size whose bytes a second are the ceiling of the others. */
  public static final String COPY = "copy";

  private final int rows;
  private final int cols;

  KernelSize(int rows, int cols) {
    this.rows = rows;
    this.cols = cols;
  }

  /** The rows of a matrix. */
  public int rows() {
    return rows;
  }

  /** Its columns. */
  public int cols() {
    return cols;
  }

  /** What is timed on operands of this size. */
  public List<KernelCase> timed() {
    return timed(this);
  }

  /** One of them, by its name. */
  public KernelCase timed(String name) {
    return timed(name, this);
  }

  /** The same over operands as large as those of another size. */
  KernelCase timed(String name, KernelSize as) {
    return timed(as).stream().filter(one -> one.name().equals(name)).findFirst().orElseThrow();
  }

  private List<KernelCase> timed(KernelSize as) {
    return this == EMBEDDING
        ? EmbeddingCases.timed(as.rows, as.cols)
        : KernelCases.timed(as.rows, as.cols);
  }

  /** As it is printed. */
  public String word() {
    return name().toLowerCase(ROOT);
  }
}
