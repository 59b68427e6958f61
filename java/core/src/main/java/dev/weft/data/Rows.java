// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import static dev.weft.format.Format.format;

import dev.weft.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Objects;

/**
 * A matrix of numbers off the heap, one example a row, row-major without gaps:
 *
 * <p>value[r,c] = scale * stored[r,c] + shift
 *
 * <p>so that images stay bytes until a kernel reads them. Values are finite. Immutable.
 */
public final class Rows implements Targets {
  private static final int LARGEST_BYTE = 255;

  private final Storage storage;
  private final MemorySegment data; // (rows, columns) of storage, read-only
  private final int rows;
  private final int[] shape; // of one row; its product is columns
  private final int columns;
  private final double scale;
  private final double shift;

  private Rows(
      Storage storage, MemorySegment data, int rows, int[] shape, double scale, double shift) {
    this.storage = storage;
    this.data = data.asReadOnly();
    this.rows = rows;
    this.shape = shape;
    this.columns = product(shape);
    this.scale = scale;
    this.shift = shift;
  }

  /**
   * Float32 rows, copied.
   *
   * @throws IllegalArgumentException if there are none, if one is null or differs in length from
   *     the first, or if one holds NaN or infinity
   */
  public static Rows of(float[][] values) {
    int columns = columns(Shape.ofRows(values));
    MemorySegment data = allocate(Storage.FLOAT32, values.length, columns);
    for (int row = 0; row < values.length; row++) {
      for (int column = 0; column < columns; column++) {
        checkFinite(values[row][column], row, column);
      }
      MemorySegment.copy(values[row], 0, data, ValueLayout.JAVA_FLOAT, 4L * row * columns, columns);
    }
    return new Rows(Storage.FLOAT32, data, values.length, new int[] {columns}, 1, 0);
  }

  /** Float64 rows, copied; throws as {@link #of(float[][])} does. */
  public static Rows of(double[][] values) {
    int columns = columns(Shape.ofRows(values));
    MemorySegment data = allocate(Storage.FLOAT64, values.length, columns);
    for (int row = 0; row < values.length; row++) {
      for (int column = 0; column < columns; column++) {
        checkFinite(values[row][column], row, column);
      }
      MemorySegment.copy(
          values[row], 0, data, ValueLayout.JAVA_DOUBLE, 8L * row * columns, columns);
    }
    return new Rows(Storage.FLOAT64, data, values.length, new int[] {columns}, 1, 0);
  }

  /**
   * Rows of unsigned bytes, copied, each of {@code shape} (28, 28 for example), read as numbers
   * from 0 to 1: scale 1/255, shift 0.
   *
   * @throws IllegalArgumentException if the bytes are not a whole number of rows, or none
   */
  public static Rows ofBytes(byte[] bytes, int... shape) {
    MemorySegment data = Arena.ofAuto().allocate(Math.max(bytes.length, 1), 64);
    MemorySegment.copy(bytes, 0, data, ValueLayout.JAVA_BYTE, 0, bytes.length);
    return wrap(Storage.UINT8, data.asSlice(0, bytes.length), shape);
  }

  /**
   * Finite numbers in memory that nobody else writes, which is kept: bytes as {@link #ofBytes}
   * reads them, all others as they are.
   */
  static Rows wrap(Storage storage, MemorySegment data, int... shape) {
    int columns = product(shape);
    long bytes = (long) columns * storage.bytes();
    if (data.byteSize() == 0) {
      throw new IllegalArgumentException("no rows");
    }
    if (data.byteSize() % bytes != 0) {
      throw new IllegalArgumentException(
          format(
              "%d bytes are not a whole number of rows of shape %s",
              data.byteSize(), Arrays.toString(shape)));
    }
    int rows = Math.toIntExact(data.byteSize() / bytes);
    double scale = storage == Storage.UINT8 ? 1 / 255.0 : 1;
    return new Rows(storage, data, rows, shape.clone(), scale, 0);
  }

  /**
   * The same stored numbers under another reading. To standardise bytes by a mean and a deviation
   * of their values in 0..1: scale 1 / (255 deviation), shift -mean / deviation.
   *
   * @throws IllegalArgumentException if either is NaN or infinite, the scale is 0, or a byte would
   *     be read as more than float32 holds
   */
  public Rows scaled(double newScale, double newShift) {
    if (!Double.isFinite(newScale) || !Double.isFinite(newShift) || newScale == 0) {
      throw new IllegalArgumentException(
          format("value = %s * stored + %s is not a reading of numbers", newScale, newShift));
    }
    if (storage == Storage.UINT8
        && Math.abs(newScale) * LARGEST_BYTE + Math.abs(newShift) > Float.MAX_VALUE) {
      // bytes are read on the device, where nobody would look
      throw new IllegalArgumentException(
          format("value = %s * byte + %s is too large for float32", newScale, newShift));
    }
    return new Rows(storage, data, rows, shape, newScale, newShift);
  }

  /** The same numbers, each row of {@code newShape}; its product must be {@link #columns}. */
  public Rows shaped(int... newShape) {
    if (product(newShape) != columns) {
      throw new IllegalArgumentException(
          format("rows of %d numbers cannot have shape %s", columns, Arrays.toString(newShape)));
    }
    return new Rows(storage, data, rows, newShape.clone(), scale, shift);
  }

  /**
   * The values as float32 or float64, scale and shift applied; this object where nothing changes.
   *
   * @throws IllegalArgumentException for UINT8, or where a value is too large for float32
   */
  public Rows as(Storage wanted) {
    if (wanted == storage && scale == 1 && shift == 0) {
      return this;
    }
    if (wanted == Storage.UINT8) {
      throw new IllegalArgumentException("numbers cannot be turned into UINT8");
    }
    MemorySegment converted = allocate(wanted, rows, columns);
    long bytes = (long) columns * wanted.bytes();
    for (int row = 0; row < rows; row++) {
      convert(wanted, row, converted.asSlice(row * bytes, bytes));
    }
    return new Rows(wanted, converted, rows, shape, 1, 0);
  }

  /**
   * Writes rows order[from] to order[to - 1] one after the other, as stored where that is {@code
   * wanted}, scale and shift left to the reader of bytes, else as {@link #as} converts them.
   *
   * @param order int32 numbers of rows
   * @param target (to - from, columns) of {@code wanted}
   * @throws IllegalArgumentException as {@link #as} does
   */
  public void gather(Storage wanted, MemorySegment order, int from, int to, MemorySegment target) {
    boolean stored = wanted == storage && (wanted == Storage.UINT8 || scale == 1 && shift == 0);
    if (wanted == Storage.UINT8 && !stored) {
      throw new IllegalArgumentException("numbers cannot be turned into UINT8");
    }
    long bytes = (long) columns * wanted.bytes();
    for (int i = from; i < to; i++) {
      int row = Objects.checkIndex(order.getAtIndex(ValueLayout.JAVA_INT, i), rows);
      long place = (i - from) * bytes;
      if (stored) {
        MemorySegment.copy(data, row * bytes, target, place, bytes);
      } else {
        convert(wanted, row, target.asSlice(place, bytes));
      }
    }
  }

  private void convert(Storage wanted, int row, MemorySegment target) {
    for (int column = 0; column < columns; column++) {
      double value = value((long) row * columns + column);
      if (wanted == Storage.FLOAT32) {
        if (!Float.isFinite((float) value)) {
          throw new IllegalArgumentException(
              format(
                  "row %d, column %d is %s, too large for float32: scale the data, or compute in"
                      + " float64",
                  row, column, value));
        }
        target.setAtIndex(ValueLayout.JAVA_FLOAT, column, (float) value);
      } else {
        checkFinite(value, row, column);
        target.setAtIndex(ValueLayout.JAVA_DOUBLE, column, value);
      }
    }
  }

  /** How the numbers are stored: {@link #data} holds this type. */
  public Storage storage() {
    return storage;
  }

  /** The stored numbers, (rows, columns), read-only. */
  public MemorySegment data() {
    return data;
  }

  @Override
  public int rows() {
    return rows;
  }

  /** The number of numbers in a row: the product of {@link #shape}. */
  public int columns() {
    return columns;
  }

  /** The shape of one row. */
  public int[] shape() {
    return shape.clone();
  }

  /** The factor in value = scale * stored + shift. */
  public double scale() {
    return scale;
  }

  /** The summand in value = scale * stored + shift. */
  public double shift() {
    return shift;
  }

  /** scale * stored[row,column] + shift. */
  public double get(int row, int column) {
    return value(
        (long) Objects.checkIndex(row, rows) * columns + Objects.checkIndex(column, columns));
  }

  private double value(long i) {
    double stored =
        switch (storage) {
          case UINT8 -> data.get(ValueLayout.JAVA_BYTE, i) & 0xFF;
          case FLOAT32 -> data.getAtIndex(ValueLayout.JAVA_FLOAT, i);
          case FLOAT64 -> data.getAtIndex(ValueLayout.JAVA_DOUBLE, i);
        };
    return scale * stored + shift;
  }

  @Override
  public Rows slice(int from, int to) {
    checkRange(from, to, rows);
    long bytes = (long) columns * storage.bytes();
    return new Rows(
        storage, data.asSlice(from * bytes, (to - from) * bytes), to - from, shape, scale, shift);
  }

  @Override
  public Rows select(int[] order) {
    long bytes = (long) columns * storage.bytes();
    MemorySegment selected = allocate(storage, order.length, columns);
    for (int i = 0; i < order.length; i++) {
      long from = Objects.checkIndex(order[i], rows) * bytes;
      MemorySegment.copy(data, from, selected, i * bytes, bytes);
    }
    return new Rows(storage, selected, order.length, shape, scale, shift);
  }

  @Override
  public String toString() {
    return format("Rows(%d rows of %s, %s)", rows, Arrays.toString(shape), storage);
  }

  static void checkRange(int from, int to, int rows) {
    if (from < 0 || to > rows || from >= to) {
      throw new IllegalArgumentException(
          format("rows %d to %d (exclusive) are not in 0..%d", from, to, rows - 1));
    }
  }

  private static MemorySegment allocate(Storage storage, int rows, int columns) {
    return Arena.ofAuto().allocate((long) rows * columns * storage.bytes(), 64);
  }

  private static int columns(Shape shape) {
    if (shape.size(0) == 0) {
      throw new IllegalArgumentException("no rows");
    }
    if (shape.size(1) == 0) {
      throw new IllegalArgumentException("row 0 has no columns");
    }
    return Math.toIntExact(shape.size(1));
  }

  private static void checkFinite(double value, int row, int column) {
    if (!Double.isFinite(value)) {
      throw new IllegalArgumentException(
          format("row %d, column %d is %s; data must be finite", row, column, value));
    }
  }

  private static int product(int[] shape) {
    long product = shape.length == 0 ? 0 : 1;
    for (int size : shape) {
      product = size < 1 ? 0 : Math.min(product * size, 1L << 31);
    }
    if (product < 1 || product > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("an example cannot have shape " + Arrays.toString(shape));
    }
    return (int) product;
  }
}
