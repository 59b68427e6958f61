// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Inputs;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * Examples to learn from: columns by name, of equally many rows, of which a row is one example.
 * Checked when made, immutable, held off the heap, freed when no longer reachable.
 *
 * {@snippet file="Examples.java" region="dataset"}
 */
public final class Dataset {
  // Away from the streams 0, 1, 2, ... of the epochs, so that one seed can serve both.
  private static final long SPLIT_STREAM = Long.MIN_VALUE;

  private final Map<String, Column> columns;

  private Dataset(Map<String, Column> columns) {
    this.columns = Collections.unmodifiableMap(columns);
  }

  /**
   * Examples of these columns, in the order of the map.
   *
   * @throws IllegalArgumentException if there is none, one is null, or two differ in the number of
   *     rows
   */
  public static Dataset of(Map<String, Column> columns) {
    if (columns.isEmpty()) {
      throw new IllegalArgumentException("a data set has at least one column");
    }
    Map<String, Column> checked = new LinkedHashMap<>(columns);
    Map.Entry<String, Column> first = checked.entrySet().iterator().next();
    checked.forEach(
        (name, column) -> {
          if (column == null || first.getValue() == null) {
            throw new IllegalArgumentException(
                format("column '%s' is null", column == null ? name : first.getKey()));
          }
          if (column.rows() != first.getValue().rows()) {
            throw new IllegalArgumentException(
                format(
                    "column '%s' has %d rows, '%s' %d",
                    first.getKey(), first.getValue().rows(), name, column.rows()));
          }
        });
    return new Dataset(checked);
  }

  /**
   * Examples of {@link Inputs#FEATURES} and {@link Inputs#TARGETS}; throws as {@link #of(Map)}
   * does.
   */
  public static Dataset of(Column features, Column targets) {
    Map<String, Column> columns = new LinkedHashMap<>();
    columns.put(Inputs.FEATURES, features);
    columns.put(Inputs.TARGETS, targets);
    return of(columns);
  }

  private static Dataset of(Supplier<Column> features, Supplier<Column> targets) {
    return of(made(Inputs.FEATURES, features), made(Inputs.TARGETS, targets));
  }

  /** A column, whose name is said where it cannot be made. */
  private static Column made(String name, Supplier<Column> column) {
    try {
      return column.get();
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(format("%s: %s", name, e.getMessage()), e);
    }
  }

  /** For classification, in float32; as many classes as the largest label needs. */
  public static Dataset of(float[][] features, int[] labels) {
    return of(() -> Column.of(features), () -> Column.ids(labels));
  }

  /** For classification, in float32, with labels in 0..classes-1. */
  public static Dataset of(float[][] features, int[] labels, int classes) {
    return of(() -> Column.of(features), () -> Column.ids(labels, classes));
  }

  /** For classification, in float64; as many classes as the largest label needs. */
  public static Dataset of(double[][] features, int[] labels) {
    return of(() -> Column.of(features), () -> Column.ids(labels));
  }

  /** For classification, in float64, with labels in 0..classes-1. */
  public static Dataset of(double[][] features, int[] labels, int classes) {
    return of(() -> Column.of(features), () -> Column.ids(labels, classes));
  }

  /** For regression, in float32. */
  public static Dataset of(float[][] features, float[][] targets) {
    return of(() -> Column.of(features), () -> Column.of(targets));
  }

  /** For regression of one number a row, in float32; the targets have shape [1]. */
  public static Dataset of(float[][] features, float[] targets) {
    return of(() -> Column.of(features), () -> Column.of(targets).shaped(1));
  }

  /** For regression, in float64. */
  public static Dataset of(double[][] features, double[][] targets) {
    return of(() -> Column.of(features), () -> Column.of(targets));
  }

  /** For regression of one number a row, in float64; the targets have shape [1]. */
  public static Dataset of(double[][] features, double[] targets) {
    return of(() -> Column.of(features), () -> Column.of(targets).shaped(1));
  }

  /** All columns by name, in order. */
  public Map<String, Column> columns() {
    return columns;
  }

  /**
   * The column of that name.
   *
   * @throws IllegalArgumentException that names what there is, where it is not among them
   */
  public Column column(String name) {
    return Inputs.of(columns).get(name);
  }

  /** Column {@link Inputs#FEATURES}; throws as {@link #column} does. */
  public Column features() {
    return column(Inputs.FEATURES);
  }

  /** Column {@link Inputs#TARGETS}, ids for classification; throws as {@link #column} does. */
  public Column targets() {
    return column(Inputs.TARGETS);
  }

  /** The number of examples. */
  public int rows() {
    return columns.values().iterator().next().rows();
  }

  /**
   * The number of classes.
   *
   * @throws IllegalStateException if the targets are numbers
   */
  public int classes() {
    if (!targets().type().isIds()) {
      throw new IllegalStateException("these examples have numbers as targets, not classes");
    }
    return targets().type().below();
  }

  /** The same examples with features read as scale * stored + shift; see {@link Column#scaled}. */
  public Dataset scaled(double scale, double shift) {
    Map<String, Column> scaled = new LinkedHashMap<>(columns);
    scaled.put(Inputs.FEATURES, features().scaled(scale, shift));
    return new Dataset(scaled);
  }

  /** Examples {@code from} (inclusive) to {@code to} (exclusive), sharing this memory. */
  public Dataset slice(int from, int to) {
    return each(column -> column.slice(from, to));
  }

  /**
   * Shuffles and divides: round(fraction * rows) examples into {@link Split#train}, the others into
   * {@link Split#test}; each example is in exactly one of them. The same seed gives the same split.
   *
   * @throws IllegalArgumentException if either part would be empty
   */
  public Split split(double fraction, long seed) {
    long first = Math.round(fraction * rows());
    if (!(fraction > 0 && fraction < 1) || first < 1 || first >= rows()) {
      throw new IllegalArgumentException(
          format("a fraction of %s of %d rows leaves a part empty", fraction, rows()));
    }
    int[] order = BatchOrder.permutation(rows(), new SplitMix64(seed, SPLIT_STREAM));
    int[] train = Arrays.copyOfRange(order, 0, (int) first);
    int[] test = Arrays.copyOfRange(order, (int) first, rows());
    return new Split(each(column -> column.select(train)), each(column -> column.select(test)));
  }

  private Dataset each(UnaryOperator<Column> change) {
    Map<String, Column> changed = new LinkedHashMap<>(columns);
    changed.replaceAll((name, column) -> change.apply(column));
    return new Dataset(changed);
  }

  /**
   * The batches of an epoch, for a loop by hand: each example is in one of them, in the order of
   * {@link BatchOrder}. A batch is uploaded when the loop comes to it and must be closed:
   *
   * <pre>{@code
   * for (Batch batch : data.batches(device, 128, epoch, seed)) {
   *   try (batch; Tape tape = new Tape(device)) {
   *     Tensor y = model.forward(tape, batch.inputs().features());
   *     ...
   *   }
   * }
   * }</pre>
   *
   * @param rows of a batch; the last may have fewer
   * @param epoch from 0
   */
  public Iterable<Batch> batches(Device device, int rows, long epoch, long seed) {
    return batches(device, DType.F32, rows, epoch, seed);
  }

  /** The same, with numbers as float64 where that is asked for: for a network in that. */
  public Iterable<Batch> batches(Device device, DType numbers, int rows, long epoch, long seed) {
    if (numbers != DType.F32 && numbers != DType.F64) {
      throw new IllegalArgumentException("the numbers of a batch are F32 or F64, not " + numbers);
    }
    BatchOrder order = new BatchOrder(rows(), Math.min(rows, rows()), LastBatch.KEEP, seed);
    MemorySegment examples = order.epoch(epoch);
    return () ->
        IntStream.range(0, order.batches())
            .mapToObj(
                b ->
                    new Batch(
                        device, numbers, columns, examples, b * rows, b * rows + order.rowsIn(b)))
            .iterator();
  }

  @Override
  public String toString() {
    return "Dataset" + columns;
  }
}
