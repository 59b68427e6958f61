// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;

import dev.weft.device.BagFunction;
import dev.weft.op.BroadcastTo;
import dev.weft.op.ConcatOperation;
import dev.weft.op.EmbeddingBagOperation;
import dev.weft.op.GatherAlong;
import dev.weft.op.GatherRows;
import dev.weft.op.OneHot;
import dev.weft.op.Operands;
import dev.weft.op.Permute;
import dev.weft.op.Reshape;
import dev.weft.op.ScatterAdd;
import dev.weft.op.Slice;
import dev.weft.op.Transpose;
import java.util.stream.IntStream;
import java.util.stream.Stream;

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
   * A matrix with rows and columns exchanged; of more axes the last two.
   *
   * @throws IllegalArgumentException where x has fewer than two axes
   */
  default Tensor transpose(Tensor x) {
    return x != null && x.shape().rank() > 2 ? transpose(x, -2, -1) : apply(new Transpose(), x);
  }

  /**
   * Two axes exchanged.
   *
   * @param first which axis, negative counts from the end
   * @param second the other one
   * @throws IllegalArgumentException where there is no such axis
   */
  default Tensor transpose(Tensor x, int first, int second) {
    check("permute", Operands.floating("x"), x);
    int[] axes = IntStream.range(0, x.shape().rank()).toArray();
    axes[x.shape().axis(first)] = x.shape().axis(second);
    axes[x.shape().axis(second)] = x.shape().axis(first);
    return permute(x, axes);
  }

  /**
   * The axes in another order: axis i of the result is axis {@code axes[i]} of x.
   *
   * @param axes each axis once, negative counts from the end
   * @throws IllegalArgumentException where they are not that
   */
  default Tensor permute(Tensor x, int... axes) {
    return apply(new Permute(axes), x);
  }

  /**
   * x repeated to a larger shape: aligned at the last axis, a size of 1 stretches.
   *
   * @throws IllegalArgumentException with both shapes, where they do not fit
   */
  default Tensor broadcastTo(Tensor x, long... sizes) {
    return apply(new BroadcastTo(Shape.of(sizes)), x);
  }

  /**
   * Tensors of one shape side by side along one more axis.
   *
   * @param axis where it stands in the result, negative counts from its end
   * @throws IllegalArgumentException where there are no tensors, or their shapes differ
   */
  default Tensor stack(int axis, Tensor... parts) {
    if (parts.length == 0) {
      throw new IllegalArgumentException("stack needs at least one tensor");
    }
    check("stack", Operands.floating("part").orMore(), parts);
    Shape one = parts[0].shape();
    int at = one.batch(parts.length).axis(axis);
    long[] sizes = new long[one.rank() + 1];
    for (int i = 0; i < sizes.length; i++) {
      sizes[i] = i == at ? 1 : one.size(i < at ? i : i - 1);
    }
    for (Tensor part : parts) {
      if (!part.shape().equals(one)) {
        throw new IllegalArgumentException(
            format("stack needs tensors of one shape, not %s and %s", one, part.shape()));
      }
    }
    return concat(at, Stream.of(parts).map(part -> reshape(part, sizes)).toArray(Tensor[]::new));
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
   * Entries of x by their place along an axis: for axis 1 of three, y_ijk = x_i,index_ijk,k; NaN
   * where a place is outside the axis. Of {@link ReductionOperations#topK} these are the values.
   *
   * @param axis which axis, negative counts from the end
   * @param index int32, as x but for the size of that axis; the result has its shape
   * @throws IllegalArgumentException with both shapes, where they do not fit
   */
  default Tensor gatherAlong(Tensor x, int axis, Tensor index) {
    return apply(new GatherAlong(axis), x, index);
  }

  /**
   * x with values added to entries by their place along an axis: for axis 1 of three, values_ijk to
   * y_i,index_ijk,k; one whose place is outside the axis to nothing.
   *
   * @param axis which axis, negative counts from the end
   * @param index int32, as x but for the size of that axis
   * @param values of the shape of {@code index}
   * @throws IllegalArgumentException with the shapes, where they do not fit
   */
  default Tensor scatterAdd(Tensor x, int axis, Tensor index, Tensor values) {
    return apply(new ScatterAdd(axis), x, values, index);
  }

  /**
   * A row of F32 for each id: 1 in the column with its number, else 0; NaN where an id is outside
   * 0..classes-1. Without gradient.
   *
   * @param ids int32 of any shape, which the result has with the classes as one more axis
   * @throws IllegalArgumentException where {@code classes} is not positive
   */
  default Tensor oneHot(Tensor ids, int classes) {
    return oneHot(ids, classes, DType.F32);
  }

  /**
   * A row for each id, as {@link #oneHot(Tensor, int)}, of another floating-point type.
   *
   * @throws IllegalArgumentException also where {@code dtype} is no such type
   */
  default Tensor oneHot(Tensor ids, int classes, DType dtype) {
    return apply(new OneHot(classes, dtype), ids);
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
