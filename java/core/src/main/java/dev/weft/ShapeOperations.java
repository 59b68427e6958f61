// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import dev.weft.device.BagFunction;
import dev.weft.op.ConcatOperation;
import dev.weft.op.EmbeddingBagOperation;
import dev.weft.op.GatherRows;
import dev.weft.op.Reshape;
import dev.weft.op.Slice;
import dev.weft.op.Transpose;

/**
 * The operations that move elements and compute none: other shapes, parts, rows by number, and the
 * sums of such rows. {@link Operations} says what holds for all.
 */
public interface ShapeOperations extends Execution {

  /**
   * The same elements under another shape; nothing is copied.
   *
   * @throws IllegalArgumentException where that has another number of elements
   */
  default Tensor reshape(Tensor x, long... sizes) {
    return apply(new Reshape(Shape.of(sizes)), x);
  }

  /**
   * A matrix with rows and columns exchanged.
   *
   * @throws IllegalArgumentException where x is no matrix
   */
  default Tensor transpose(Tensor x) {
    return apply(new Transpose(), x);
  }

  /**
   * The entries {@code from} up to, not including, {@code to} along one axis.
   *
   * @param axis which axis, negative counts from the end
   * @throws IllegalArgumentException where there is no such axis, or the range leaves it
   */
  default Tensor slice(Tensor x, int axis, long from, long to) {
    return apply(new Slice(axis, from, to), x);
  }

  /**
   * Tensors one after another along one axis.
   *
   * @param axis which axis, negative counts from the end
   * @throws IllegalArgumentException where there are no tensors, or their other sizes differ
   */
  default Tensor concat(int axis, Tensor... parts) {
    if (parts.length == 0) {
      throw new IllegalArgumentException("concat needs at least one tensor");
    }
    return apply(new ConcatOperation(axis), parts);
  }

  /**
   * The rows of {@code source} (n, cols) numbered by {@code index}, int32 of any shape, which the
   * result has with the columns as one more axis; NaN where a number is outside 0..n-1.
   *
   * @throws IllegalArgumentException with both shapes, where {@code source} is no matrix
   */
  default Tensor gather(Tensor source, Tensor index) {
    return apply(new GatherRows(), source, index);
  }

  /**
   * The sum, along the last axis of {@code ids}, of the rows of {@code table} (n, cols) that they
   * number; 0 of none. An id of -1 is padding, no row; NaN where another one is outside 0..n-1; see
   * {@link EmbeddingBagOperation}.
   *
   * @param ids int32 (..., length)
   * @return (..., cols)
   * @throws IllegalArgumentException with both shapes, where the table is no matrix or the ids are
   *     one number
   */
  default Tensor embeddingBagSum(Tensor table, Tensor ids) {
    return apply(new EmbeddingBagOperation(BagFunction.SUM), table, ids);
  }

  /** The mean of the rows that {@link #embeddingBagSum(Tensor, Tensor)} adds up, and as there. */
  default Tensor embeddingBagMean(Tensor table, Tensor ids) {
    return apply(new EmbeddingBagOperation(BagFunction.MEAN), table, ids);
  }

  /**
   * The sum of each bag of rows of {@code table} (n, cols), 0 of none: bag b is the rows numbered
   * by the int32 vector {@code ids} from {@code offsets}[b] on, up to where the next one begins. An
   * id of -1 is padding, no row; NaN where another one is outside 0..n-1, or a bag's range outside
   * {@code ids}; see {@link EmbeddingBagOperation}.
   *
   * @param offsets int32 (bags), ascending
   * @return (bags, cols)
   * @throws IllegalArgumentException with all shapes, where they are not a matrix and two vectors
   */
  default Tensor embeddingBagSum(Tensor table, Tensor ids, Tensor offsets) {
    return apply(new EmbeddingBagOperation(BagFunction.SUM), table, ids, offsets);
  }

  /** The mean of each bag of {@link #embeddingBagSum(Tensor, Tensor, Tensor)}, and as there. */
  default Tensor embeddingBagMean(Tensor table, Tensor ids, Tensor offsets) {
    return apply(new EmbeddingBagOperation(BagFunction.MEAN), table, ids, offsets);
  }
}
