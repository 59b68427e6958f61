// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import dev.weft.DType;
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
  private final Storage numbers;
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();

  /** Uploads rows order[from] to order[to - 1]. */
  Batch(
      Device device,
      DType numbers,
      Map<String, Column> columns,
      MemorySegment order,
      int from,
      int to) {
    this.device = device;
    this.numbers = numbers == DType.F32 ? Storage.FLOAT32 : Storage.FLOAT64;
    try {
      columns.forEach((name, column) -> tensors.put(name, upload(column, order, from, to)));
    } catch (Throwable e) {
      Closing.after(e, this::close);
      throw e;
    }
  }

  private Tensor upload(Column column, MemorySegment order, int from, int to) {
    Storage stored = column.storage() == Storage.INT32 ? Storage.INT32 : numbers;
    Shape shape = column.shape().batch(to - from);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment rows = arena.allocate(stored.dtype().bytes(shape), 64);
      column.gather(stored, order, from, to, rows);
      return device.upload(stored.dtype(), shape, rows);
    }
  }

  /**
   * The batch by column, (rows, shape of a row): ids as int32, numbers as float32, or as float64
   * where that was asked for, scale and shift applied.
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
