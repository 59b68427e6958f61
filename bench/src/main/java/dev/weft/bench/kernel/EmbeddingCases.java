// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.kernel;

import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * An embedding's way through a step, kernel after kernel, by ids as frequent as words are: number k
 * of a table's rows comes as often as 1 / (k + 1).
 */
public final class EmbeddingCases {
  private static final String FORWARD = "embedding_forward";
  private static final String BACKWARD = "embedding_backward";
  private static final String UPDATE = "embedding_update";

  /** What there is: rows taken; their gradients added up; and the rows changed by them. */
  public static final List<String> NAMES = List.of(FORWARD, BACKWARD, UPDATE);

  /** What is timed as a part of these. */
  public static final Set<Kernel> PARTS =
      Set.of(Kernel.SORT_CHUNKS, Kernel.MERGE_CHUNKS, Kernel.SGD_ROWS, Kernel.ADAM_ROWS);

  private EmbeddingCases() {}

  /** For so many ids, which are a seventh of the table's rows. */
  static Stream<KernelCase> timed(long rows, long cols) {
    long table = rows * 60_000 / 8192;
    Fill ids = Fill.each(i -> frequent(i, table));
    Sizes sizes = new Sizes(table, rows, cols, 1);
    // the same number is the same memory
    var gather = new Arguments.GatherRows(1, 2, 0, 3, rows, cols, table, 1, 0);
    var sort = new Arguments.SortChunks(2, 4, 5, rows);
    var merge = new Arguments.MergeChunks(4, 5, 6, 7, rows);
    var sums = new Arguments.SumRuns(7, 6, 3, 8, rows, cols, 1);
    var sgd = new Arguments.SgdRows(1, 0, 0, 9, 6, 8, rows, cols, table, 0, 0, 0, false, 1);
    KernelCase sorted = new KernelCase("sort", Kernel.SORT_CHUNKS, sizes, sort).with("ids", ids);
    KernelCase backward =
        new KernelCase(BACKWARD, Kernel.SUM_RUNS, sizes, sums)
            .after(new KernelCase("merge", Kernel.MERGE_CHUNKS, sizes, merge).after(sorted));
    return Stream.of(
        new KernelCase(FORWARD, Kernel.GATHER_ROWS, sizes, gather).with("index", ids),
        backward,
        new KernelCase(UPDATE, Kernel.SGD_ROWS, sizes, sgd).after(backward));
  }

  /** A row's number, the places of frequent ones scattered over the table. */
  private static long frequent(long i, long table) {
    double share = i * 0.618_033_988_749_895 % 1;
    long place = (long) Math.exp(share * Math.log(table + 1)) - 1;
    return Math.min(place, table - 1) * 7919 % table;
  }
}
