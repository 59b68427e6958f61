// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Closing;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;

/** Rows of all columns of a data set, on a device until closed. */
public final class Batch implements AutoCloseable {
  private final Device device;
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();

  /** Uploads rows order[from] to order[to - 1]. */
  Batch(Device device, Map<String, Column> columns, MemorySegment order, int from, int to) {
    this.device = device;
    try {
      columns.forEach((name, column) -> tensors.put(name, upload(column, order, from, to)));
    } catch (Throwable e) {
      Closing.after(e, this::close);
      throw e;
    }
  }

  private Tensor upload(Column column, MemorySegment order, int from, int to) {
    Storage stored = column.storage() == Storage.UINT8 ? Storage.FLOAT32 : column.storage();
    Shape shape = column.shape().batch(to - from);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment rows = arena.allocate(stored.dtype().bytes(shape), 64);
      column.gather(stored, order, from, to, rows);
      return device.upload(stored.dtype(), shape, rows);
    }
  }

  /**
   * The batch by column, (rows, shape of a row): ids as int32, float64 as it is, all else as
   * float32, scale and shift applied.
   */
  public Inputs<Tensor> inputs() {
    return Inputs.of(tensors);
  }

  @Override
  public void close() {
    device.checkMayClose();
    Closing.all(tensors.values().toArray(Tensor[]::new));
  }
}
