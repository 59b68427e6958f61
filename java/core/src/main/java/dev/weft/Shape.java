// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;

import java.util.Arrays;
import java.util.function.IntUnaryOperator;
import java.util.stream.Collectors;

/** The sizes of a tensor's axes, outermost first; a scalar has none. */
public final class Shape {
  private static final int LARGEST_ROW_RANK = 5;

  private final long[] sizes;
  private final long elements;

  private Shape(long[] sizes) {
    this.sizes = sizes;
    long product = 1;
    for (long size : sizes) {
      if (size < 0) {
        throw new IllegalArgumentException("negative size in shape " + Arrays.toString(sizes));
      }
      if (Math.multiplyHigh(product, size) != 0 || product * size < 0) {
        throw new IllegalArgumentException("too many elements in " + Arrays.toString(sizes));
      }
      product *= size;
    }
    this.elements = product;
  }

  /**
   * A shape of the given sizes; none makes a scalar.
   *
   * @throws IllegalArgumentException where a size is negative
   */
  public static Shape of(long... sizes) {
    return new Shape(sizes.clone());
  }

  /**
   * The shape (rows, columns) of an array of rows.
   *
   * @throws IllegalArgumentException where a row is null, or not as long as the first
   */
  public static Shape ofRows(double[][] rows) {
    return ofRows(rows.length, r -> rows[r] == null ? -1 : rows[r].length);
  }

  /** The same; throws as {@link #ofRows(double[][])} does. */
  public static Shape ofRows(float[][] rows) {
    return ofRows(rows.length, r -> rows[r] == null ? -1 : rows[r].length);
  }

  /** The same; throws as {@link #ofRows(double[][])} does. */
  public static Shape ofRows(int[][] rows) {
    return ofRows(rows.length, r -> rows[r] == null ? -1 : rows[r].length);
  }

  /**
   * The shape of a row of data, fewer than 2^31 numbers.
   *
   * @throws IllegalArgumentException where there are more than 5 sizes, or one is not positive
   */
  public static Shape ofRow(int... sizes) {
    long product = 1;
    for (int size : sizes) {
      product = size < 1 ? 0 : Math.min(product * size, 1L << 31);
    }
    if (sizes.length > LARGEST_ROW_RANK || product < 1 || product > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          format(
              "a row cannot have shape %s: it has up to %d sizes, each at least 1, and fewer than"
                  + " 2^31 numbers",
              Arrays.toString(sizes), LARGEST_ROW_RANK));
    }
    return of(Arrays.stream(sizes).asLongStream().toArray());
  }

  /**
   * The shape (rows, longest) of rows that may differ in length; at least 1 long.
   *
   * @throws IllegalArgumentException where a row is null
   */
  public static Shape ofLongest(int[][] rows) {
    int longest = 1;
    for (int r = 0; r < rows.length; r++) {
      if (rows[r] == null) {
        throw new IllegalArgumentException(format("row %d is null", r));
      }
      longest = Math.max(longest, rows[r].length);
    }
    return of(rows.length, longest);
  }

  private static Shape ofRows(int rows, IntUnaryOperator length) {
    for (int r = 0; r < rows; r++) {
      if (length.applyAsInt(r) < 0) {
        throw new IllegalArgumentException(format("row %d is null", r));
      }
      if (length.applyAsInt(r) != length.applyAsInt(0)) {
        throw new IllegalArgumentException(
            format(
                "row %d has %d values and row 0 has %d",
                r, length.applyAsInt(r), length.applyAsInt(0)));
      }
    }
    return of(rows, rows == 0 ? 0 : length.applyAsInt(0));
  }

  /** The number of axes. */
  public int rank() {
    return sizes.length;
  }

  /**
   * The size of an axis; negative counts from the end, so -1 is the last.
   *
   * @throws IllegalArgumentException where there is no such axis
   */
  public long size(int axis) {
    return sizes[axis(axis)];
  }

  /**
   * The axis as a number from 0; negative counts from the end.
   *
   * @throws IllegalArgumentException where there is no such axis
   */
  public int axis(int axis) {
    int index = axis < 0 ? axis + sizes.length : axis;
    if (index < 0 || index >= sizes.length) {
      throw new IllegalArgumentException(format("shape %s has no axis %d", this, axis));
    }
    return index;
  }

  /** The product of all sizes; 1 for a scalar. */
  public long elements() {
    return elements;
  }

  /** The product of the sizes of the axes from {@code from} up to, not including, {@code to}. */
  public long elements(int from, int to) {
    long product = 1;
    for (int axis = from; axis < to; axis++) {
      product *= sizes[axis];
    }
    return product;
  }

  /** This shape with another size at one axis. */
  public Shape with(int axis, long size) {
    long[] changed = sizes.clone();
    changed[axis(axis)] = size;
    return new Shape(changed);
  }

  /** The shape of so many rows of this shape: one axis more, before the others. */
  public Shape batch(long rows) {
    long[] all = new long[sizes.length + 1];
    all[0] = rows;
    System.arraycopy(sizes, 0, all, 1, sizes.length);
    return new Shape(all);
  }

  /** This shape without one axis. */
  public Shape without(int axis) {
    int gone = axis(axis);
    long[] rest = new long[sizes.length - 1];
    for (int i = 0; i < rest.length; i++) {
      rest[i] = sizes[i < gone ? i : i + 1];
    }
    return new Shape(rest);
  }

  /**
   * The shape of an elementwise operation over two shapes: aligned at the last axis, a size of 1
   * stretches.
   *
   * @throws IllegalArgumentException with both shapes, where they do not fit
   */
  public static Shape broadcast(Shape a, Shape b) {
    int rank = Math.max(a.rank(), b.rank());
    long[] sizes = new long[rank];
    for (int i = 0; i < rank; i++) {
      long left = i < rank - a.rank() ? 1 : a.sizes[i - rank + a.rank()];
      long right = i < rank - b.rank() ? 1 : b.sizes[i - rank + b.rank()];
      if (left != right && left != 1 && right != 1) {
        throw new IllegalArgumentException(
            format("shapes %s and %s do not broadcast: %d and %d", a, b, left, right));
      }
      sizes[i] = left == 1 ? right : left;
    }
    return new Shape(sizes);
  }

  /** Whether an elementwise operation stretches this shape to another, and that one not at all. */
  boolean stretchesTo(Shape other) {
    for (int i = 1; i <= rank(); i++) {
      if (i > other.rank() || size(-i) != other.size(-i) && size(-i) != 1) {
        return false;
      }
    }
    return true;
  }

  /** The sizes, outermost first. */
  public long[] toArray() {
    return sizes.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Shape shape && Arrays.equals(sizes, shape.sizes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(sizes);
  }

  /** Such as {@code [128, 784]}. */
  @Override
  public String toString() {
    return Arrays.stream(sizes)
        .mapToObj(Long::toString)
        .collect(Collectors.joining(", ", "[", "]"));
  }
}
