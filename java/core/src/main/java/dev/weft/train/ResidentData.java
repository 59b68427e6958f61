// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Shape;
import dev.weft.StepState;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.Dataset;
import dev.weft.data.Labels;
import dev.weft.data.Rows;
import dev.weft.data.Storage;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import java.lang.foreign.MemorySegment;

/** A data set in device memory, and the kernels that take a batch out of it. */
final class ResidentData implements AutoCloseable {
  private final Device device;
  private final DType dtype;
  private final Resident features;
  private final Resident targets;
  private final Tensor order;

  /** Rows or labels on the device. */
  private record Resident(Tensor tensor, double scale, double shift) {}

  /** Uploads a data set; {@code order} can name as many rows as it has. */
  ResidentData(Device device, DType dtype, Dataset data) {
    this.device = device;
    this.dtype = dtype;
    try {
      features = upload(data.features());
      targets =
          switch (data.targets()) {
            case Labels labels ->
                new Resident(device.upload(DType.I32, Shape.of(data.rows()), labels.data()), 1, 0);
            case Rows values -> upload(values);
          };
      order = device.allocate(DType.I32, Shape.of(data.rows())).named("order of examples");
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private Resident upload(Rows rows) {
    // bytes stay bytes until a batch is taken; floats get the type that the network computes in
    boolean bytes = rows.storage() == Storage.UINT8;
    Rows stored = bytes ? rows : rows.as(dtype == DType.F32 ? Storage.FLOAT32 : Storage.FLOAT64);
    DType type = bytes ? DType.U8 : dtype;
    return new Resident(
        device.upload(type, Shape.of(rows.rows(), rows.columns()), stored.data()),
        stored.scale(),
        stored.shift());
  }

  /** Sets the order in which rows are taken. */
  void order(MemorySegment rows) {
    order.view(0, Shape.of(rows.byteSize() / DType.I32.bytes())).copyFrom(rows);
  }

  /** The features of the next batch (rows, columns), from the place that the state names. */
  Tensor features(Tape tape, StepState state, long rows) {
    return take(tape, state, rows, features);
  }

  /** The targets of the next batch: labels (rows) or values (rows, columns). */
  Tensor targets(Tape tape, StepState state, long rows) {
    if (targets.tensor().dtype() != DType.I32) {
      return take(tape, state, rows, targets);
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
            targets.tensor().elements()),
        rows);
    return labels;
  }

  private Tensor take(Tape tape, StepState state, long rows, Resident source) {
    long columns = source.tensor().shape().size(1);
    Tensor batch = tape.make(dtype, Shape.of(rows, columns)).named("batch");
    device.run(
        source.tensor().dtype() == DType.U8 ? Kernel.GATHER_ROWS_U8 : Kernel.GATHER_ROWS,
        dtype.precision(),
        new Arguments.GatherRows(
            source.tensor().address(),
            order.address(),
            state.address(),
            batch.address(),
            rows,
            columns,
            source.tensor().shape().size(0),
            source.scale(),
            source.shift()),
        rows * columns);
    return batch;
  }

  @Override
  public void close() {
    for (Tensor tensor :
        new Tensor[] {
          features == null ? null : features.tensor(),
          targets == null ? null : targets.tensor(),
          order
        }) {
      if (tensor != null) {
        tensor.close();
      }
    }
  }
}
