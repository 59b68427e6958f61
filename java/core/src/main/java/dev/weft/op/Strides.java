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
    return merged.padded(AXES);
  }

  /** The strides of as many axes as are left when neighbours are merged. */
  static Strides merge(Shape left, Shape right, Shape result) {
    return merge(result, stretched(left, result.rank()), stretched(right, result.rank()));
  }

  /** As many axes as are left of two walks over a shape, strides for each of its axes. */
  static Strides merge(Shape shape, long[] left, long[] right) {
    int rank = shape.rank();
    long[] sizes = new long[rank];
    long[] a = new long[rank];
    long[] b = new long[rank];
    int first = rank; // merged axes stand at first..rank-1
    for (int axis = rank - 1; axis >= 0; axis--) {
      long size = shape.size(axis);
      if (size == 1) {
        continue;
      }
      boolean merges =
          first < rank
              && left[axis] == a[first] * sizes[first]
              && right[axis] == b[first] * sizes[first];
      if (merges) {
        sizes[first] *= size;
      } else {
        first--;
        sizes[first] = size;
        a[first] = left[axis];
        b[first] = right[axis];
      }
    }
    return new Strides(
        Arrays.copyOfRange(sizes, first, rank),
        Arrays.copyOfRange(a, first, rank),
        Arrays.copyOfRange(b, first, rank));
  }

  /** The strides of a dense tensor. */
  static long[] dense(Shape shape) {
    long[] strides = new long[shape.rank()];
    long step = 1;
    for (int axis = shape.rank() - 1; axis >= 0; axis--) {
      strides[axis] = step;
      step *= shape.size(axis);
    }
    return strides;
  }

  /** The strides of a dense tensor as the last of so many axes, 0 where it is stretched. */
  static long[] stretched(Shape shape, int rank) {
    long[] strides = new long[rank];
    long[] own = dense(shape);
    for (int axis = 0; axis < own.length; axis++) {
      strides[rank - own.length + axis] = shape.size(axis) == 1 ? 0 : own[axis];
    }
    return strides;
  }

  /** So many axes, those that are not needed of size 1. */
  Strides padded(int axes) {
    return new Strides(padded(sizes, axes, 1), padded(a, axes, 0), padded(b, axes, 0));
  }

  private static long[] padded(long[] values, int axes, int filling) {
    long[] all = new long[axes];
    Arrays.fill(all, filling);
    System.arraycopy(values, 0, all, axes - values.length, values.length);
    return all;
  }
}
