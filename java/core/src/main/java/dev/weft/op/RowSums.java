// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import dev.weft.DType;
import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.RowGradient;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import java.util.List;

/**
 * Adds up what belongs to rows of a table that were looked up by number: equal numbers in one
 * order, whatever the device and however often they come.
 */
public final class RowSums {
  /** Places that are sorted by themselves first, as native/abi says. */
  private static final long CHUNK = 1024;

  private RowSums() {}

  /**
   * Sorts the row numbers and adds up what belongs to each.
   *
   * @param node whose scratch memory the result is
   * @param ids the row numbers, int32, of any shape
   * @param dy what each adds to its row, as many rows as there are ids
   */
  public static RowGradient of(Node node, Tensor ids, Tensor dy) {
    long rows = ids.elements();
    long cols = dy.shape().size(-1);
    Tensor sorted = node.make(DType.I32, Shape.of(rows));
    Tensor order = node.make(DType.I32, Shape.of(rows));
    if (rows <= CHUNK) {
      sort(node, ids, sorted, order);
    } else {
      Tensor chunkSorted = node.make(DType.I32, Shape.of(rows));
      Tensor chunkOrder = node.make(DType.I32, Shape.of(rows));
      sort(node, ids, chunkSorted, chunkOrder);
      node.run(
          Kernel.MERGE_CHUNKS,
          new Arguments.MergeChunks(
              Engine.address(chunkSorted),
              Engine.address(chunkOrder),
              Engine.address(sorted),
              Engine.address(order),
              rows));
      node.release(chunkSorted);
      node.release(chunkOrder);
    }
    Tensor sums = node.make(dy.dtype().wide(), Shape.of(rows, cols));
    node.run(
        Kernel.SUM_RUNS,
        dy.dtype(),
        new Arguments.SumRuns(
            Engine.address(order),
            Engine.address(sorted),
            Engine.address(dy),
            Engine.address(sums),
            rows,
            cols,
            1));
    node.release(order);
    return new RowGradient(sorted, sums);
  }

  private static void sort(Node node, Tensor ids, Tensor sorted, Tensor order) {
    node.run(
        Kernel.SORT_CHUNKS,
        new Arguments.SortChunks(
            Engine.address(ids), Engine.address(sorted), Engine.address(order), ids.elements()));
  }

  /** Adds it to a gradient of the whole table, (rows of the table, cols) of the wide type. */
  public static void addTo(RowGradient gradient, Tensor dense) {
    Engine.run(
        dense.device(),
        Kernel.ADD_ROWS,
        dense.dtype().precision(),
        new Arguments.AddRows(
            Engine.address(gradient.sorted()),
            Engine.address(gradient.sums()),
            Engine.address(dense),
            gradient.rows(),
            gradient.cols(),
            dense.shape().size(0)));
  }

  /**
   * Gives the gradient of a table, an input of the node: as a list of rows where that is what it
   * has, else added to all of it.
   *
   * @param dy memory of the node, given away
   */
  static void give(Node node, int table, Tensor ids, Tensor dy) {
    if (Engine.isGradRows(node.input(table))) {
      node.addRows(table, ids, dy);
      return;
    }
    Node.Sink sink = node.into(table, node.input(table).dtype().wide());
    if (!sink.accumulate()) {
      sink.tensor().fill(0);
    }
    RowGradient gradient = of(node, ids, dy);
    addTo(gradient, sink.tensor());
    node.release(gradient.sorted());
    node.release(gradient.sums());
    node.release(dy);
  }

  /** Row numbers one after another. */
  public static Tensor concatIds(Node node, List<Tensor> parts) {
    long all = parts.stream().mapToLong(Tensor::elements).sum();
    Tensor ids = node.make(DType.I32, Shape.of(all));
    Tensor first = node.make(DType.I32, Shape.of(1));
    // four bytes of zeros, by a kernel, since this may be recorded
    node.run(Kernel.FILL, DType.F32, new Arguments.Fill(Engine.address(first), 1, 0));
    long start = 0;
    for (Tensor part : parts) {
      // one row of as many ids
      node.run(
          Kernel.GATHER_IDS,
          new Arguments.GatherIds(
              Engine.address(part),
              Engine.address(first),
              0,
              Engine.address(ids) + start * DType.I32.bytes(),
              1,
              part.elements(),
              part.elements(),
              1));
      start += part.elements();
    }
    node.release(first);
    return ids;
  }

  /** Rows (.., width) one after another. */
  public static Tensor concat(Node node, List<Tensor> parts) {
    long width = parts.getFirst().shape().size(-1);
    long all = parts.stream().mapToLong(Tensor::elements).sum();
    Tensor rows = node.make(parts.getFirst().dtype(), Shape.of(all / width, width));
    long start = 0;
    for (Tensor part : parts) {
      long n = part.elements();
      long to = Engine.address(rows) + start * rows.dtype().bytes();
      node.run(
          Kernel.COPY_ROWS,
          part.dtype(),
          new Arguments.CopyRows(Engine.address(part), to, 1, n, n, n, 1, false));
      start += n;
    }
    return rows;
  }
}
