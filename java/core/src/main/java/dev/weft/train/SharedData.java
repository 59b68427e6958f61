// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.count;
import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Tensor;
import dev.weft.data.Column;
import dev.weft.data.Storage;
import dev.weft.device.Closing;
import java.util.HashMap;
import java.util.Map;

/**
 * Columns of data sets in device memory for the runs of several trainers, one after another or side
 * by side: the first run that takes a column uploads it, and the others find it there. The results
 * are the same bits. A column is known by its {@link Column} object; data that are too large to
 * stay on the device are streamed by each run for itself.
 *
 * {@snippet file="Examples.java" region="sharedData"}
 */
public final class SharedData implements AutoCloseable {
  private record Key(Column column, Storage stored) {}

  private final Device device;
  private final Map<Key, BatchData.Source> columns = new HashMap<>();
  private int users;
  private boolean closed;

  /** Holds nothing yet; what it will hold is on this device, and freed by {@link #close}. */
  public SharedData(Device device) {
    this.device = device;
  }

  /**
   * Returns if a run on a device may take its data from here.
   *
   * @throws IllegalArgumentException where they are on another device
   * @throws IllegalStateException where this is closed
   */
  void check(Device user) {
    if (closed) {
      throw new IllegalStateException("the shared data is closed: make another SharedData");
    }
    if (user != device) {
      throw new IllegalArgumentException(
          format(
              "the shared data is on a device %s, and the trainer on another, %s: each device needs"
                  + " a SharedData of its own",
              device.name(), user.name()));
    }
  }

  /** Whether a column is on the device. */
  boolean holds(DType wanted, Column column) {
    return columns.containsKey(new Key(column, BatchData.stored(wanted, column)));
  }

  /** A column on the device, uploaded where it was not there. */
  BatchData.Source source(String name, DType wanted, Column column) {
    return columns
        .computeIfAbsent(
            new Key(column, BatchData.stored(wanted, column)), key -> upload(name, wanted, column))
        .in(wanted);
  }

  private BatchData.Source upload(String name, DType wanted, Column column) {
    Column stored = column.as(BatchData.stored(wanted, column));
    BatchData.Source source =
        BatchData.space(device, name, wanted, stored, stored.rows(), stored.stride());
    try {
      source.tensor().copyFrom(stored.data());
    } catch (Throwable e) {
      Closing.after(e, source.tensor()::close);
      throw e;
    }
    return source;
  }

  /** Notes a run that takes its data from here. */
  void enter() {
    users++;
  }

  /** Notes that one no longer does. */
  void leave() {
    users--;
  }

  /**
   * Frees the data.
   *
   * @throws IllegalStateException while a run is open that takes its data from here
   */
  @Override
  public void close() {
    device.checkMayClose();
    if (users > 0) {
      throw new IllegalStateException(
          format(
              "the shared data is in use: %s of training or test data to close first",
              count(users, "set")));
    }
    closed = true;
    Closing.all(columns.values().stream().map(BatchData.Source::tensor).toArray(Tensor[]::new));
  }
}
