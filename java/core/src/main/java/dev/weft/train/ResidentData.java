// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Shape;
import dev.weft.StepState;
import dev.weft.data.BatchOrder;
import dev.weft.data.Dataset;
import dev.weft.data.Labels;
import dev.weft.data.Rows;
import dev.weft.device.Closing;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A whole data set in device memory; an epoch uploads its order alone. */
final class ResidentData extends BatchData {
  private final EpochOrder epochs;
  private final MemorySegment rows;
  private long orderedEpoch = -1;

  /** Uploads the data set. */
  ResidentData(Device device, DType dtype, Dataset data, BatchOrder batches, EpochOrder epochs) {
    super(device, dtype);
    this.epochs = epochs;
    this.rows = Arena.ofAuto().allocate((long) batches.rows() * DType.I32.bytes(), 64);
    try {
      features = upload(data.features());
      switch (data.targets()) {
        case Labels labels -> {
          targets = space(labels, data.rows());
          targets.tensor().copyFrom(labels.data());
        }
        case Rows values -> targets = upload(values);
      }
      order = device.allocate(DType.I32, Shape.of(batches.rows())).named("order of examples");
    } catch (Throwable e) {
      Closing.after(e, this::close);
      throw e;
    }
  }

  private Source upload(Rows rows) {
    boolean bytes = stored(dtype, rows) == rows.storage() && rows.storage().bytes() == 1;
    Rows stored = bytes ? rows : rows.as(stored(dtype, rows));
    Source source = space(stored, rows.rows());
    try {
      source.tensor().copyFrom(stored.data());
      return source;
    } catch (RuntimeException e) {
      source.tensor().close();
      throw e;
    }
  }

  @Override
  void moveTo(long epoch, int batch, StepState state) {
    boolean same = orderedEpoch == epoch || orderedEpoch >= 0 && epochs == EpochOrder.ASCENDING;
    if (batch == 0 && !same) {
      epochs.write(epoch, rows);
      order.copyFrom(rows);
      orderedEpoch = epoch;
    }
  }
}
