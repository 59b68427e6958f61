// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.kernel;

import static java.util.Locale.ROOT;

import java.util.List;
import java.util.stream.Stream;

/** The matrices that kernels are timed on, four bytes an element. */
public enum KernelSize {
  /** 256 KiB: what a step of a small network works on. */
  CACHE(128, 512),
  /**
   * 128 MiB: larger than the caches of GPUs and of most processors. Some have more, such as an EPYC
   * with 256 MB of third-level cache; there it is not memory that is timed.
   */
  MEMORY(16384, 2048),
  /** 4 MiB: what a batch of 8,192 ids takes out of a table of 60,000 rows of 128 columns. */
  EMBEDDING(8192, 128),
  /** Nothing divides it: for tests. */
  ODD(13, 131);

  private final int rows;
  private final int cols;

  KernelSize(int rows, int cols) {
    this.rows = rows;
    this.cols = cols;
  }

  /** What is timed on operands of this size. */
  public List<KernelCase> timed() {
    return Stream.concat(KernelCases.timed(rows, cols).stream(), EmbeddingCases.timed(rows, cols))
        .toList();
  }

  /** One of them, by its name. */
  public KernelCase timed(String name) {
    return timed().stream().filter(one -> one.name().equals(name)).findFirst().orElseThrow();
  }

  /** As it is printed. */
  public String word() {
    return name().toLowerCase(ROOT);
  }
}
