// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.data.BatchOrder;
import dev.weft.data.Dataset;
import java.util.SequencedMap;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * How much device memory a data set may take, and with whom it shares it.
 *
 * @param most bytes beside those that are there already
 * @param shared what keeps columns for other runs, too; null where each has its own
 */
record DataMemory(ToLongFunction<Device> most, @Nullable SharedData shared) {

  /** Half of what is free when it is asked; without bound where that is not known. */
  static final DataMemory HALF_OF_FREE =
      new DataMemory(
          device ->
              device.freeMemory() == Long.MAX_VALUE ? Long.MAX_VALUE : device.freeMemory() / 2,
          null);

  /** The same with another bound. */
  DataMemory most(long bytes) {
    return new DataMemory(device -> bytes, shared);
  }

  /** The same, shared in this way. */
  DataMemory sharedBy(@Nullable SharedData shared) {
    return new DataMemory(most, shared);
  }

  /**
   * Returns if the data may be on a device.
   *
   * @throws IllegalArgumentException where what is shared is on another
   */
  void check(Device device) {
    if (shared != null) {
      shared.check(device);
    }
  }

  /**
   * Checks that columns of data sets can be put on a device, whole or as a stream.
   *
   * @param batch rows of a batch
   * @throws IllegalArgumentException where there is too little memory even for two batches
   */
  void check(Device device, SequencedMap<String, DType> wanted, Dataset data, int batch) {
    BatchData.check(wanted, data, batch, most.applyAsLong(device), shared);
  }

  /**
   * Puts columns of a data set on the device, all of it or as a stream of blocks.
   *
   * @throws IllegalArgumentException where there is too little memory even for two batches
   */
  BatchData put(
      Device device,
      SequencedMap<String, DType> wanted,
      Dataset data,
      BatchOrder batches,
      EpochOrder epochs) {
    return BatchData.of(device, wanted, data, batches, epochs, most.applyAsLong(device), shared);
  }
}
