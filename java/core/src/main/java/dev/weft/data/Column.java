// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import static dev.weft.format.Format.format;

import dev.weft.RowType;
import dev.weft.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * A column of a data set: rows of one shape off the heap, finite numbers or ids, and number i of
 * row r is
 *
 * <p>value[r,i] = scale * stored[r * stride + i] + shift
 *
 * <p>so that images stay bytes, and windows of a text one text, until a kernel reads them.
 * Immutable, freed when no longer reachable.
 *
 * {@snippet file="Examples.java" region="column"}
 *
 * <p>This class is long because it has every way to make a column.
 */
public final class Column {

  private final Numbers numbers; // from the first to the last
  private final RowType type;
  private final int stride;
  private final int width; // the product of the shape
  private final int rows;

  private Column(Numbers numbers, RowType type, int stride) {
    this.numbers = numbers;
    this.type = type;
    this.stride = stride;
    this.width = Math.toIntExact(type.shape().elements());
    this.rows = Math.toIntExact((numbers.count() - width) / stride + 1);
  }

  private static Column dense(Numbers numbers, RowType type) {
    return new Column(numbers, type, Math.toIntExact(type.shape().elements()));
  }

  /**
   * Float32 rows, copied; their shape is their length.
   *
   * @throws IllegalArgumentException if there are none, if one is null or differs in length from
   *     the first, or if one holds NaN or infinity
   */
  public static Column of(float[][] values) {
    return numbers(
        Storage.FLOAT32, Shape.ofRows(values), Stream.of(values).map(MemorySegment::ofArray));
  }

  /** Float64 rows, copied; throws as {@link #of(float[][])} does. */
  public static Column of(double[][] values) {
    return numbers(
        Storage.FLOAT64, Shape.ofRows(values), Stream.of(values).map(MemorySegment::ofArray));
  }

  /** One float32 number a row, copied; throws as {@link #of(float[][])} does. */
  public static Column of(float[] values) {
    Shape all = Shape.of(values.length);
    return numbers(Storage.FLOAT32, all, Stream.of(MemorySegment.ofArray(values)));
  }

  /** One float64 number a row, copied; throws as {@link #of(float[][])} does. */
  public static Column of(double[] values) {
    Shape all = Shape.of(values.length);
    return numbers(Storage.FLOAT64, all, Stream.of(MemorySegment.ofArray(values)));
  }

  /** One id a row, copied, of as many as the largest needs: classes, words of a vocabulary. */
  public static Column ids(int[] ids) {
    int largest = Arrays.stream(ids).max().orElse(0);
    return ids(ids, largest < Integer.MAX_VALUE ? Math.max(largest, 0) + 1 : largest);
  }

  /**
   * One id a row, copied.
   *
   * @param below the number of classes, or the size of the vocabulary
   * @throws IllegalArgumentException if there is none, or one lies outside 0..below-1
   */
  public static Column ids(int[] ids, int below) {
    Shape all = Shape.of(ids.length);
    RowType type = RowType.ids(Shape.of(), checked(below));
    return copied(Storage.INT32, all, List.of(MemorySegment.ofArray(ids)), type);
  }

  /**
   * Several ids a row, as many in each, copied; {@link #padded(int[][], int)} takes others.
   *
   * @param below the size of the vocabulary
   * @throws IllegalArgumentException if there is no row, if one is null or differs in length from
   *     the first, or if an id lies outside 0..below-1
   */
  public static Column ids(int[][] ids, int below) {
    for (int r = 1; r < ids.length; r++) {
      if (ids[0] != null && ids[r] != null && ids[r].length != ids[0].length) {
        throw new IllegalArgumentException(
            format(
                "row %d has %d ids and row 0 has %d: Column.padded takes rows that differ in"
                    + " length",
                r, ids[r].length, ids[0].length));
      }
    }
    return copied(ids, RowType.ids(Shape.ofRows(ids).without(0), checked(below)));
  }

  /**
   * Ids of rows that differ in length, and may be empty, copied: bags of words. Each takes the
   * memory and the time of the longest, with -1 behind its own, as may be among them; 0 is an id as
   * others are.
   *
   * @param below the size of the vocabulary
   * @throws IllegalArgumentException if there is no row, if one is null, or if an id lies outside
   *     0..below-1 and is not -1
   */
  public static Column padded(int[][] ids, int below) {
    Shape row = Shape.ofLongest(ids).without(0);
    int length = (int) row.size(0);
    int[][] rows = new int[ids.length][];
    for (int r = 0; r < rows.length; r++) {
      rows[r] = Arrays.copyOf(ids[r], length);
      Arrays.fill(rows[r], ids[r].length, length, RowType.PADDING);
    }
    return copied(rows, RowType.paddedIds(row, checked(below)));
  }

  /**
   * Rows of unsigned bytes, copied, each of {@code shape} (1, 28, 28 for example), read as numbers
   * from 0 to 1: scale 1/255, shift 0.
   *
   * @throws IllegalArgumentException if the bytes are not a whole number of rows, or none
   */
  public static Column ofBytes(byte[] bytes, int... shape) {
    MemorySegment data = Numbers.allocate(Storage.UINT8, bytes.length);
    return wrap(Storage.UINT8, data.copyFrom(MemorySegment.ofArray(bytes)), shape);
  }

  /**
   * Finite numbers in memory that nobody else writes, which is kept: bytes as {@link #ofBytes}
   * reads them, all others as they are.
   */
  static Column wrap(Storage storage, MemorySegment data, int... shape) {
    Shape row = Shape.ofRow(shape);
    if (data.byteSize() == 0) {
      throw new IllegalArgumentException("no rows");
    }
    if (data.byteSize() % (row.elements() * storage.bytes()) != 0) {
      throw new IllegalArgumentException(
          format("%d bytes are not a whole number of rows of shape %s", data.byteSize(), row));
    }
    return dense(Numbers.of(storage, data), RowType.floating(row));
  }

  private static Column numbers(Storage storage, Shape all, Stream<MemorySegment> parts) {
    return copied(storage, all, parts.toList(), RowType.floating(all.without(0)));
  }

  private static Column copied(int[][] ids, RowType type) {
    Shape all = Shape.ofRows(ids);
    return copied(Storage.INT32, all, Stream.of(ids).map(MemorySegment::ofArray).toList(), type);
  }

  /** Numbers that lie in several arrays, one after the other. */
  private static Column copied(
      Storage storage, Shape all, List<MemorySegment> parts, RowType type) {
    if (all.size(0) == 0) {
      throw new IllegalArgumentException("no rows");
    }
    if (all.elements() == 0) {
      throw new IllegalArgumentException("row 0 has no columns");
    }
    Column made = dense(Numbers.copied(storage, parts), type);
    for (int r = 0; r < made.rows; r++) {
      for (int i = 0; i < made.width; i++) {
        made.check(made.get(r, i), r, i);
      }
    }
    return made;
  }

  private static int checked(int below) {
    if (below < 1) {
      throw new IllegalArgumentException("ids need at least 1 class or word, got " + below);
    }
    return below;
  }

  private void check(double value, int row, int i) {
    boolean id = value >= 0 && value < type.below() || type.padded() && value == RowType.PADDING;
    if (type.isIds() && !id) {
      throw new IllegalArgumentException(
          format(
              "%s is %d, outside 0..%d, which are the ids or class labels that there are",
              place(row, i), (long) value, type.below() - 1));
    }
    if (!Double.isFinite(value)) {
      throw new IllegalArgumentException(
          format("%s is %s; data must be finite", place(row, i), value));
    }
  }

  private String place(int row, int i) {
    return type.shape().rank() == 0 ? "row " + row : format("row %d, column %d", row, i);
  }

  /**
   * The same stored numbers under another reading. To standardise bytes by a mean and a deviation
   * of their values in 0..1: scale 1 / (255 deviation), shift -mean / deviation.
   *
   * @throws IllegalArgumentException if either is NaN or infinite, the scale is 0, a byte would be
   *     read as more than float32 holds, or these are ids
   */
  public Column scaled(double newScale, double newShift) {
    return new Column(numbers.scaled(newScale, newShift), type, stride);
  }

  /**
   * The same numbers, each row of {@code newShape}, whose product must be {@link #width}; none is
   * one number a row.
   */
  public Column shaped(int... newShape) {
    Shape shape = Shape.ofRow(newShape);
    if (shape.elements() != width) {
      throw new IllegalArgumentException(
          format("rows of %d numbers cannot have shape %s", width, shape));
    }
    return new Column(numbers, type.with(shape), stride);
  }

  /**
   * All runs of {@code length} ids, sharing this memory: row r is rows r up to r + length of these,
   * so that there are length - 1 rows fewer.
   *
   * @throws IllegalArgumentException if these are not one id a row, or too few
   */
  public Column window(int length) {
    if (!type.isIds() || type.shape().rank() > 0) {
      throw new IllegalArgumentException("windows are cut from one id a row, not from " + type);
    }
    if (length < 1 || length > rows) {
      throw new IllegalArgumentException(
          format("a window of %d ids cannot be cut from %d", length, rows));
    }
    return new Column(numbers, type.with(Shape.of(length)), stride);
  }

  /**
   * The values as float32 or float64, scale and shift applied, or as they are stored, for which
   * this object is returned: bytes, whose reading stays, and ids.
   *
   * @throws IllegalArgumentException where these cannot be turned into such, or where a value is
   *     too large for float32
   */
  public Column as(Storage wanted) {
    if (numbers.are(wanted)) {
      return this;
    }
    MemorySegment converted = Numbers.allocate(wanted, (long) rows * width);
    long bytes = (long) width * wanted.bytes();
    for (int row = 0; row < rows; row++) {
      convert(wanted, row, converted.asSlice(row * bytes, bytes));
    }
    return dense(Numbers.of(wanted, converted), type);
  }

  /**
   * Writes rows order[from] to order[to - 1] one after the other as {@link #as} gives them; scale
   * and shift of bytes are left to their reader.
   *
   * @param order int32 numbers of rows
   * @param target (to - from, width) of {@code wanted}
   * @throws IllegalArgumentException as {@link #as} does
   */
  public void gather(Storage wanted, MemorySegment order, int from, int to, MemorySegment target) {
    boolean stored = numbers.are(wanted);
    long bytes = (long) width * wanted.bytes();
    long step = (long) stride * wanted.bytes(); // where nothing is converted
    for (int i = from; i < to; i++) {
      int row = Objects.checkIndex(order.getAtIndex(ValueLayout.JAVA_INT, i), rows);
      long place = (i - from) * bytes;
      if (stored) {
        MemorySegment.copy(numbers.data(), row * step, target, place, bytes);
      } else {
        convert(wanted, row, target.asSlice(place, bytes));
      }
    }
  }

  private void convert(Storage wanted, int row, MemorySegment target) {
    for (int i = 0; i < width; i++) {
      double value = numbers.value((long) row * stride + i);
      if (wanted == Storage.FLOAT32) {
        if (!Float.isFinite((float) value)) {
          throw new IllegalArgumentException(
              format(
                  "%s is %s, too large for float32: scale the data, or compute in float64",
                  place(row, i), value));
        }
        target.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) value);
      } else {
        check(value, row, i);
        target.setAtIndex(ValueLayout.JAVA_DOUBLE, i, value);
      }
    }
  }

  /** How the numbers are stored: {@link #data} holds this type. */
  public Storage storage() {
    return numbers.storage();
  }

  /** The stored numbers, row after row, each {@link #stride} behind the one before, read-only. */
  public MemorySegment data() {
    return numbers.data();
  }

  /** The number of rows. */
  public int rows() {
    return rows;
  }

  /** What a row is. */
  public RowType type() {
    return type;
  }

  /** The shape of one row; a scalar's where that is one number. */
  public Shape shape() {
    return type.shape();
  }

  /** The number of numbers in a row: the product of {@link #shape}. */
  public int width() {
    return width;
  }

  /** The stored numbers from the beginning of a row to that of the next: 1 for windows. */
  public int stride() {
    return stride;
  }

  /** The factor in value = scale * stored + shift. */
  public double scale() {
    return numbers.scale();
  }

  /** The summand in value = scale * stored + shift. */
  public double shift() {
    return numbers.shift();
  }

  /** Number {@code i} of a row, scale and shift applied. */
  public double get(int row, int i) {
    return numbers.value(
        (long) Objects.checkIndex(row, rows) * stride + Objects.checkIndex(i, width));
  }

  /**
   * The ids of all rows, (rows, width), copied; -1 where a row has none.
   *
   * @throws IllegalStateException if these are numbers
   */
  public int[] toInts() {
    if (!type.isIds()) {
      throw new IllegalStateException("these are numbers, not ids");
    }
    int[] ids = new int[Math.multiplyExact(rows, width)];
    for (int row = 0; row < rows; row++) {
      long from = (long) row * stride * Integer.BYTES;
      MemorySegment.copy(numbers.data(), ValueLayout.JAVA_INT, from, ids, row * width, width);
    }
    return ids;
  }

  /** Rows {@code from} (inclusive) to {@code to} (exclusive), sharing this memory. */
  public Column slice(int from, int to) {
    if (from < 0 || to > rows || from >= to) {
      throw new IllegalArgumentException(
          format("rows %d to %d (exclusive) are not in 0..%d", from, to, rows - 1));
    }
    long size = (to - from - 1L) * stride + width;
    return new Column(numbers.slice((long) from * stride, size), type, stride);
  }

  /** Rows {@code order[0]}, {@code order[1]}, ..., copied; windows do not overlap any more. */
  public Column select(int[] order) {
    MemorySegment selected = Numbers.allocate(storage(), (long) order.length * width);
    Numbers stored = new Numbers(storage(), numbers.data(), 1, 0);
    new Column(stored, type, stride)
        .gather(storage(), MemorySegment.ofArray(order), 0, order.length, selected);
    return dense(new Numbers(storage(), selected, scale(), shift()), type);
  }

  @Override
  public String toString() {
    return format("Column(%d rows of %s, %s)", rows, type, storage());
  }
}
