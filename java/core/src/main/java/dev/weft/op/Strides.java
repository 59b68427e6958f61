// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;

import dev.weft.Shape;
import java.util.Arrays;

/**
 * How two shapes are walked together by a kernel of four axes: neighbouring axes that both tensors
 * walk alike are merged first, so that deeper tensors fit too.
 *
 * @param sizes the merged sizes of the result, four of them
 * @param a the strides of the first tensor, 0 where it is stretched
 * @param b the strides of the second
 */
record Strides(long[] sizes, long[] a, long[] b) {
  private static final int AXES = 4;

  static Strides of(Shape left, Shape right, Shape result) {
    int rank = result.rank();
    long[] sizes = new long[rank];
    long[] a = new long[rank];
    long[] b = new long[rank];
    long strideA = 1;
    long strideB = 1;
    int first = rank; // merged axes stand at first..rank-1
    for (int axis = rank - 1; axis >= 0; axis--) {
      long size = result.size(axis);
      long sizeA = sizeAt(left, axis, rank);
      long sizeB = sizeAt(right, axis, rank);
      long stepA = sizeA == 1 ? 0 : strideA;
      long stepB = sizeB == 1 ? 0 : strideB;
      strideA *= sizeA;
      strideB *= sizeB;
      if (size == 1) {
        continue;
      }
      boolean merges =
          first < rank && stepA == a[first] * sizes[first] && stepB == b[first] * sizes[first];
      if (merges) {
        sizes[first] *= size;
      } else {
        first--;
        sizes[first] = size;
        a[first] = stepA;
        b[first] = stepB;
      }
    }
    if (rank - first > AXES) {
      throw new IllegalArgumentException(
          format(
              "broadcasting %s with %s needs more than %d axes; reshape them first",
              left, right, AXES));
    }
    return new Strides(padded(sizes, first, 1), padded(a, first, 0), padded(b, first, 0));
  }

  private static long sizeAt(Shape shape, int axis, int rank) {
    int own = axis - (rank - shape.rank());
    return own < 0 ? 1 : shape.size(own);
  }

  private static long[] padded(long[] values, int first, long filling) {
    long[] four = new long[AXES];
    Arrays.fill(four, filling);
    int count = values.length - first;
    System.arraycopy(values, first, four, AXES - count, count);
    return four;
  }
}
