// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Shape;
import dev.weft.StepState;
import dev.weft.data.BatchOrder;
import dev.weft.data.Dataset;
import dev.weft.device.Closing;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/** All rows in device memory; an epoch uploads its order alone. */
final class ResidentData extends BatchData {
  private final EpochOrder epochs;
  private final MemorySegment rows;
  private final SharedData columns;
  private final boolean ownsColumns;
  private boolean closed;
  private long orderedEpoch = -1;

  /**
   * Uploads the columns.
   *
   * @param shared what has or keeps them for other runs, too; or null
   */
  ResidentData(
      Device device,
      SequencedMap<String, DType> wanted,
      Dataset data,
      BatchOrder batches,
      EpochOrder epochs,
      @Nullable SharedData shared) {
    super(device);
    this.epochs = epochs;
    this.rows = Arena.ofAuto().allocate((long) batches.rows() * DType.I32.bytes(), 64);
    this.columns = shared == null ? new SharedData(device) : shared;
    this.ownsColumns = shared == null;
    columns.enter();
    try {
      wanted.forEach(
          (name, type) -> sources.put(name, columns.source(name, type, data.column(name))));
      order(device.allocate(DType.I32, Shape.of(batches.rows())).named("order of examples"));
    } catch (Throwable e) {
      Closing.after(e, this::close);
      throw e;
    }
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

  @Override
  public void close() {
    device.checkMayClose();
    if (!closed) {
      closed = true;
      sources.clear();
      columns.leave();
    }
    Closing closing = new Closing();
    closing.run(super::close);
    if (ownsColumns) {
      closing.run(columns::close);
    }
    closing.finish();
  }
}
