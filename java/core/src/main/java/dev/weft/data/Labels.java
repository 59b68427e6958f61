// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import static dev.weft.format.Format.format;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Objects;

/** Class indices, (rows) int32, each in 0..classes-1. Immutable. */
public final class Labels implements Targets {
  private final MemorySegment data; // (rows) int32, read-only
  private final int rows;
  private final int classes;

  private Labels(MemorySegment data, int rows, int classes) {
    this.data = data.asReadOnly();
    this.rows = rows;
    this.classes = classes;
  }

  /** Labels with as many classes as the largest label needs. */
  public static Labels of(int[] labels) {
    int largest = Arrays.stream(labels).max().orElse(0);
    return of(labels, largest < Integer.MAX_VALUE ? Math.max(largest, 0) + 1 : largest);
  }

  /**
   * Labels for {@code classes} classes.
   *
   * @throws IllegalArgumentException if there is no label or one lies outside 0..classes-1
   */
  public static Labels of(int[] labels, int classes) {
    if (labels.length == 0) {
      throw new IllegalArgumentException("no labels");
    }
    if (classes < 1) {
      throw new IllegalArgumentException("labels need at least 1 class, got " + classes);
    }
    for (int row = 0; row < labels.length; row++) {
      if (labels[row] < 0 || labels[row] >= classes) {
        throw new IllegalArgumentException(
            format("label of row %d is %d, outside 0..%d", row, labels[row], classes - 1));
      }
    }
    MemorySegment data = Arena.ofAuto().allocate(labels.length * 4L, 64);
    MemorySegment.copy(labels, 0, data, ValueLayout.JAVA_INT, 0, labels.length);
    return new Labels(data, labels.length, classes);
  }

  @Override
  public int rows() {
    return rows;
  }

  /** K: labels lie in 0..K-1. */
  public int classes() {
    return classes;
  }

  /** The labels, (rows) int32, read-only. */
  public MemorySegment data() {
    return data;
  }

  /**
   * The class of a row.
   *
   * @throws IndexOutOfBoundsException if there is no such row
   */
  public int get(int row) {
    return data.get(ValueLayout.JAVA_INT, Objects.checkIndex(row, rows) * 4L);
  }

  /** The labels of all rows, (rows), copied. */
  public int[] toArray() {
    return data.toArray(ValueLayout.JAVA_INT);
  }

  @Override
  public Labels slice(int from, int to) {
    Rows.checkRange(from, to, rows);
    return new Labels(data.asSlice(from * 4L, (to - from) * 4L), to - from, classes);
  }

  @Override
  public Labels select(int[] order) {
    return of(Arrays.stream(order).map(this::get).toArray(), classes);
  }

  @Override
  public String toString() {
    return "Labels(" + rows + " rows, " + classes + " classes)";
  }
}
