// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;

import dev.weft.Shape;
import java.util.Arrays;

/**
 * How two shapes are walked together by a kernel of four axes: neighbouring axes that both tensors
 * walk alike are merged first, so that deeper tensors fit too.
 *
 * @param sizes the merged sizes of the result
 * @param a the strides of the first tensor, 0 where it is stretched
 * @param b the strides of the second
 */
record Strides(long[] sizes, long[] a, long[] b) {
  static final int AXES = 4;

  /**
   * Four axes, those that are not needed of size 1.
   *
   * @throws IllegalArgumentException where more than four are left
   */
  static Strides of(Shape left, Shape right, Shape result) {
    Strides merged = merge(left, right, result);
    if (merged.sizes.length > AXES) {
      throw new IllegalArgumentException(
          format(
              "broadcasting %s with %s needs more than %d axes; reshape them first",
              left, right, AXES));
    }
    return new Strides(padded(merged.sizes, 1), padded(merged.a, 0), padded(merged.b, 0));
  }

  /** The strides of as many axes as are left when neighbours are merged. */
  static Strides merge(Shape left, Shape right, Shape result) {
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
    return new Strides(
        Arrays.copyOfRange(sizes, first, rank),
        Arrays.copyOfRange(a, first, rank),
        Arrays.copyOfRange(b, first, rank));
  }

  private static long sizeAt(Shape shape, int axis, int rank) {
    int own = axis - (rank - shape.rank());
    return own < 0 ? 1 : shape.size(own);
  }

  private static long[] padded(long[] values, int filling) {
    long[] four = new long[AXES];
    Arrays.fill(four, filling);
    System.arraycopy(values, 0, four, AXES - values.length, values.length);
    return four;
  }
}
