// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Shape;
import dev.weft.StepState;
import dev.weft.data.BatchOrder;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.device.Closing;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SequencedMap;

/** All rows in device memory; an epoch uploads its order alone. */
final class ResidentData extends BatchData {
  private final EpochOrder epochs;
  private final MemorySegment rows;
  private long orderedEpoch = -1;

  /** Uploads the columns. */
  ResidentData(
      Device device,
      SequencedMap<String, DType> wanted,
      Dataset data,
      BatchOrder batches,
      EpochOrder epochs) {
    super(device);
    this.epochs = epochs;
    this.rows = Arena.ofAuto().allocate((long) batches.rows() * DType.I32.bytes(), 64);
    try {
      wanted.forEach((name, type) -> upload(name, type, data.column(name)));
      order(device.allocate(DType.I32, Shape.of(batches.rows())).named("order of examples"));
    } catch (Throwable e) {
      Closing.after(e, this::close);
      throw e;
    }
  }

  private void upload(String name, DType wanted, Column column) {
    Column stored = column.as(stored(wanted, column));
    space(name, wanted, stored, stored.rows(), stored.stride()).tensor().copyFrom(stored.data());
  }

  @Override
  void moveTo(long epoch, int batch, StepState state) {
    boolean same = orderedEpoch == epoch || orderedEpoch >= 0 && epochs == EpochOrder.ASCENDING;
    if (!same) {
      epochs.write(epoch, rows);
      order().copyFrom(rows);
      orderedEpoch = epoch;
    }
  }
}
