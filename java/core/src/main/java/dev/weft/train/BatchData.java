// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.Inputs;
import dev.weft.Shape;
import dev.weft.StepState;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.BatchOrder;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.data.Storage;
import dev.weft.device.Arguments;
import dev.weft.device.Closing;
import dev.weft.device.Kernel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Rows of a data set in device memory, and the kernels that take a batch out of them: all rows
 * where there is room for them, else those of this block of batches and of the next.
 *
 * <p>The columns that a step wants are given by name, in the order in which a batch takes them,
 * each with the type that its numbers have in a batch; ids are int32 whatever that is.
 */
abstract sealed class BatchData implements AutoCloseable permits ResidentData, StreamedData {
  /**
   * A column on the device.
   *
   * @param tensor rows, each {@code stride} numbers behind the one before
   * @param wanted the type of numbers in a batch
   * @param row the shape of one
   */
  record Source(
      Tensor tensor, DType wanted, Shape row, long rows, long stride, double scale, double shift) {
    /** The number of numbers in a row. */
    long width() {
      return row.elements();
    }

    /** The same column for batches of another type. */
    Source in(DType other) {
      return new Source(tensor, other, row, rows, stride, scale, shift);
    }
  }

  final Device device;
  final Map<String, Source> sources = new LinkedHashMap<>();
  private @Nullable Tensor order; // of the rows on the device

  BatchData(Device device) {
    this.device = device;
  }

  /**
   * Puts columns of a data set on the device, or begins to.
   *
   * @param batches how the epochs are cut into batches
   * @param memory the most bytes that it may take there, beside those that are shared
   * @param shared what keeps columns for other runs, too; or null
   * @throws IllegalArgumentException where that is too little for two batches
   */
  static BatchData of(
      Device device,
      SequencedMap<String, DType> wanted,
      Dataset data,
      BatchOrder batches,
      EpochOrder epochs,
      long memory,
      @Nullable SharedData shared) {
    check(wanted, data, batches.rowsIn(0), memory, shared);
    return bytes(wanted, data, shared) <= memory
        ? new ResidentData(device, wanted, data, batches, epochs, shared)
        : new StreamedData(device, wanted, data, batches, epochs, memory);
  }

  /**
   * Checks that columns of a data set can be put on a device, whole or as a stream.
   *
   * @param batch rows of a batch
   * @param memory the most bytes that it may take there, beside those that are shared
   * @throws IllegalArgumentException where that is too little for two batches
   */
  static void check(
      SequencedMap<String, DType> wanted,
      Dataset data,
      int batch,
      long memory,
      @Nullable SharedData shared) {
    long row = rowBytes(wanted, data);
    if (bytes(wanted, data, shared) > memory && memory < StreamedData.HALVES * batch * row) {
      throw new IllegalArgumentException(
          format(
              "%,d bytes are too little to stream the data: two batches of %,d rows take %,d",
              memory, batch, StreamedData.HALVES * batch * row));
    }
  }

  /** The bytes that a row takes in a stream, its place in the order included. */
  static long rowBytes(SequencedMap<String, DType> wanted, Dataset data) {
    return bytes(wanted, data, null, 1, Column::width);
  }

  /**
   * The bytes that all rows take which are not on the device yet, windows no more than what they
   * are cut from.
   */
  private static long bytes(
      SequencedMap<String, DType> wanted, Dataset data, @Nullable SharedData shared) {
    return bytes(wanted, data, shared, data.rows(), c -> numbers(c.rows(), c.stride(), c.width()));
  }

  private static long bytes(
      SequencedMap<String, DType> wanted,
      Dataset data,
      @Nullable SharedData shared,
      long rows,
      ToLongFunction<Column> numbers) {
    long bytes = rows * DType.I32.bytes();
    for (Map.Entry<String, DType> one : wanted.entrySet()) {
      Column column = data.column(one.getKey());
      if (shared == null || !shared.holds(one.getValue(), column)) {
        bytes += numbers.applyAsLong(column) * stored(one.getValue(), column).bytes();
      }
    }
    return bytes;
  }

  private static long numbers(long rows, long stride, long width) {
    return (rows - 1) * stride + width;
  }

  /** What a column is on the device: bytes stay bytes until a batch is taken of them. */
  static Storage stored(DType wanted, Column column) {
    return switch (column.storage()) {
      case UINT8, INT32 -> column.storage();
      case FLOAT32, FLOAT64 -> wanted.wide() == DType.F32 ? Storage.FLOAT32 : Storage.FLOAT64;
    };
  }

  /** Takes device memory for {@code rows} rows of a column. */
  static Source space(
      Device device, String name, DType wanted, Column column, long rows, long stride) {
    Storage stored = stored(wanted, column);
    Shape numbers = Shape.of(numbers(rows, stride, column.width()));
    boolean bytes = stored == Storage.UINT8;
    return new Source(
        device.allocate(stored.dtype(), numbers).named(name),
        wanted,
        column.shape(),
        rows,
        stride,
        bytes ? column.scale() : 1,
        bytes ? column.shift() : 0);
  }

  /** A column by its name. */
  final Source source(String name) {
    return Objects.requireNonNull(sources.get(name), name);
  }

  /** The order of the rows on the device, int32. */
  final Tensor order() {
    return Objects.requireNonNull(order, "closed, or not made yet");
  }

  final void order(Tensor order) {
    this.order = order;
  }

  /**
   * Called before every step, whose batch is on the device then, at the place that the state names;
   * called again for the same batch, it does nothing.
   *
   * @param epoch counted from 0
   * @param batch counted from 0; where it does not follow on the one before, the state has been set
   *     to its place in the epoch
   */
  abstract void moveTo(long epoch, int batch, StepState state);

  /** The next {@link #moveTo} sets the place anew: steps with another state have run between. */
  void leave() {}

  /** The columns of the next batch, (rows, shape of a row), from the place that the state names. */
  final Inputs<Tensor> batch(Tape tape, StepState state, long rows) {
    Map<String, Tensor> batch = new LinkedHashMap<>();
    sources.forEach((name, source) -> batch.put(name, take(tape, state, rows, name, source)));
    return Engine.batch(batch);
  }

  private Tensor take(Tape tape, StepState state, long rows, String name, Source source) {
    DType stored = source.tensor().dtype();
    DType type = stored == DType.U8 ? source.wanted() : stored;
    Tensor batch = tape.make(type, source.row().batch(rows)).named(name);
    if (stored == DType.I32) {
      Engine.run(
          device,
          Kernel.GATHER_IDS,
          source.wanted().precision(),
          new Arguments.GatherIds(
              Engine.address(source.tensor()),
              Engine.address(order()),
              Engine.address(state),
              Engine.address(batch),
              rows,
              source.width(),
              source.stride(),
              source.rows()));
      return batch;
    }
    Engine.run(
        device,
        stored == DType.U8 ? Kernel.GATHER_ROWS_U8 : Kernel.GATHER_ROWS,
        type.precision(),
        new Arguments.GatherRows(
            Engine.address(source.tensor()),
            Engine.address(order()),
            Engine.address(state),
            Engine.address(batch),
            rows,
            source.width(),
            source.rows(),
            source.scale(),
            source.shift()));
    return tape.cast(batch, source.wanted());
  }

  @Override
  public void close() {
    device.checkMayClose();
    List<Tensor> tensors = new ArrayList<>();
    sources.values().forEach(source -> tensors.add(source.tensor()));
    Closing closing = new Closing();
    tensors.forEach(each -> closing.run(each::close));
    if (order != null) {
      closing.run(order::close);
    }
    closing.finish();
  }
}
