// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Shape;
import dev.weft.StepState;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.BatchOrder;
import dev.weft.data.Dataset;
import dev.weft.data.Rows;
import dev.weft.data.Storage;
import dev.weft.device.Arguments;
import dev.weft.device.Closing;
import dev.weft.device.Kernel;

/**
 * Rows of a data set in device memory, and the kernels that take a batch out of them: all of the
 * rows where they fit, else those of this block of batches and of the next.
 */
abstract sealed class BatchData implements AutoCloseable permits ResidentData, StreamedData {
  /** Numbers or labels on the device, and how they are read. */
  record Source(Tensor tensor, double scale, double shift) {}

  final Device device;
  final DType dtype;
  Source features;
  Source targets;
  Tensor order; // of the rows on the device

  BatchData(Device device, DType dtype) {
    this.device = device;
    this.dtype = dtype;
  }

  /**
   * Puts a data set on the device, or begins to.
   *
   * @param batches how the epochs are cut into batches
   * @param memory the most bytes that it may take there
   * @throws IllegalArgumentException where that is too little for two batches
   */
  static BatchData of(
      Device device,
      DType dtype,
      Dataset data,
      BatchOrder batches,
      EpochOrder epochs,
      long memory) {
    check(dtype, data, batches.rowsIn(0), memory);
    return data.rows() * rowBytes(dtype, data) <= memory
        ? new ResidentData(device, dtype, data, batches, epochs)
        : new StreamedData(device, dtype, data, batches, epochs, memory);
  }

  /**
   * Returns if a data set can be put on a device, whole or as a stream.
   *
   * @param batch rows of a batch
   * @param memory the most bytes that it may take there
   * @throws IllegalArgumentException where that is too little for two batches
   */
  static void check(DType dtype, Dataset data, int batch, long memory) {
    long row = rowBytes(dtype, data);
    if (data.rows() * row > memory && memory < StreamedData.HALVES * batch * row) {
      throw new IllegalArgumentException(
          format(
              "%,d bytes are too little to stream the data: two batches of %,d rows take %,d",
              memory, batch, StreamedData.HALVES * batch * row));
    }
  }

  /** The bytes that a row takes on the device, its place in the order included. */
  static long rowBytes(DType dtype, Dataset data) {
    long targets = data.targets() instanceof Rows values ? bytes(dtype, values) : DType.I32.bytes();
    return bytes(dtype, data.features()) + targets + DType.I32.bytes();
  }

  private static long bytes(DType dtype, Rows rows) {
    return (long) rows.columns() * stored(dtype, rows).bytes();
  }

  /** What rows are on the device: bytes stay bytes until a batch is taken of them. */
  static Storage stored(DType dtype, Rows rows) {
    return rows.storage() == Storage.UINT8
        ? Storage.UINT8
        : dtype.wide() == DType.F32 ? Storage.FLOAT32 : Storage.FLOAT64;
  }

  /** The type on the device of rows or labels like these. */
  static DType type(DType dtype, Object like) {
    return switch (like) {
      case Rows rows when rows.storage() == Storage.UINT8 -> DType.U8;
      case Rows rows -> dtype.wide();
      default -> DType.I32;
    };
  }

  /** Device memory for {@code count} rows or labels like these. */
  final Source space(Object like, long count) {
    DType type = type(dtype, like);
    if (!(like instanceof Rows rows)) {
      return new Source(device.allocate(type, Shape.of(count)), 1, 0);
    }
    boolean bytes = type == DType.U8;
    return new Source(
        device.allocate(type, Shape.of(count, rows.columns())),
        bytes ? rows.scale() : 1,
        bytes ? rows.shift() : 0);
  }

  /**
   * Called before every step, whose batch is on the device then, at the place that the state names;
   * called again for the same batch, it does nothing.
   *
   * @param epoch counted from 0
   * @param batch counted from 0; where it is 0 the state has been set to the epoch's beginning
   */
  abstract void moveTo(long epoch, int batch, StepState state);

  /** The features of the next batch (rows, columns), from the place that the state names. */
  final Tensor features(Tape tape, StepState state, long rows) {
    boolean bytes = features.tensor().dtype() == DType.U8;
    return tape.cast(take(tape, state, rows, features, bytes ? dtype : dtype.wide()), dtype);
  }

  /** The targets of the next batch: labels (rows), or values (rows, columns) in the wide type. */
  final Tensor targets(Tape tape, StepState state, long rows) {
    if (targets.tensor().dtype() != DType.I32) {
      return take(tape, state, rows, targets, dtype.wide());
    }
    Tensor labels = tape.make(DType.I32, Shape.of(rows)).named("labels");
    device.run(
        Kernel.GATHER_LABELS,
        dtype.precision(),
        new Arguments.GatherLabels(
            targets.tensor().address(),
            order.address(),
            state.address(),
            labels.address(),
            rows,
            targets.tensor().elements()));
    return labels;
  }

  private Tensor take(Tape tape, StepState state, long rows, Source source, DType type) {
    long columns = source.tensor().shape().size(1);
    Tensor batch = tape.make(type, Shape.of(rows, columns)).named("batch");
    device.run(
        source.tensor().dtype() == DType.U8 ? Kernel.GATHER_ROWS_U8 : Kernel.GATHER_ROWS,
        type.precision(),
        new Arguments.GatherRows(
            source.tensor().address(),
            order.address(),
            state.address(),
            batch.address(),
            rows,
            columns,
            source.tensor().shape().size(0),
            source.scale(),
            source.shift()));
    return batch;
  }

  @Override
  public void close() {
    device.checkMayClose();
    Closing.all(
        features == null ? null : features.tensor(),
        targets == null ? null : targets.tensor(),
        order);
  }
}
