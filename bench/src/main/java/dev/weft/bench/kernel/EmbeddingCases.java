// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.kernel;

import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import java.util.List;
import java.util.Set;

/**
 * An embedding's way through a step, kernel after kernel, by ids as frequent as words are: number k
 * of a table's rows comes as often as 1 / (k + 1).
 */
public final class EmbeddingCases {
  /** What is timed as a part of these. */
  public static final Set<Kernel> PARTS =
      Set.of(
          Kernel.SORT_CHUNKS,
          Kernel.MERGE_CHUNKS,
          Kernel.SGD_ROWS,
          Kernel.ADAM_ROWS,
          Kernel.NADAM_ROWS,
          Kernel.ADAGRAD_ROWS,
          Kernel.RMSPROP_ROWS,
          Kernel.ADADELTA_ROWS,
          Kernel.LION_ROWS);

  private EmbeddingCases() {}

  /**
   * Rows taken; their gradients added up; the rows changed by them; and a copy of as many rows,
   * which lie evenly apart in the table. The ids are a seventh as many as the table has rows.
   */
  static List<KernelCase> timed(long rows, long cols) {
    long table = rows * 60_000 / 8192;
    Fill ids = Fill.each(i -> frequent(i, table));
    Sizes sizes = new Sizes(table, rows, cols, 1);
    // the same number is the same memory
    var gather = new Arguments.GatherRows(1, 2, 0, 3, rows, cols, table, 1, 0);
    var sort = new Arguments.SortChunks(2, 4, 5, rows);
    var merge = new Arguments.MergeChunks(4, 5, 6, 7, rows);
    var sums = new Arguments.SumRuns(7, 6, 3, 8, rows, cols, 1);
    double none = Double.POSITIVE_INFINITY;
    var sgd =
        new Arguments.UpdateRows(
            1, 0, 0, 0, 0, 9, 6, 8, 0, rows, cols, table, 0, 2, false, 0, 0, 0, 0, 0, 0, 0, 1, 1,
            none, none, none);
    var copy = new Arguments.CopyRows(1, 2, rows, cols, table / rows * cols, cols, 1, false);
    KernelCase sorted = new KernelCase("sort", Kernel.SORT_CHUNKS, sizes, sort).with("ids", ids);
    KernelCase backward =
        new KernelCase("embedding_backward", Kernel.SUM_RUNS, sizes, sums)
            .after(new KernelCase("merge", Kernel.MERGE_CHUNKS, sizes, merge).after(sorted));
    return List.of(
        new KernelCase("embedding_forward", Kernel.GATHER_ROWS, sizes, gather).with("index", ids),
        backward,
        new KernelCase("embedding_update", Kernel.SGD_ROWS, sizes, sgd).after(backward),
        new KernelCase(KernelSize.COPY, Kernel.COPY_ROWS, sizes, copy));
  }

  /** A row's number, the places of frequent ones scattered over the table. */
  private static long frequent(long i, long table) {
    double share = i * 0.618_033_988_749_895 % 1;
    long place = (long) Math.exp(share * Math.log(table + 1)) - 1;
    return Math.min(place, table - 1) * 7919 % table;
  }
}
