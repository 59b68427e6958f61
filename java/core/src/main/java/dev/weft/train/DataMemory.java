// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.data.BatchOrder;
import dev.weft.data.Dataset;
import java.util.SequencedMap;

/** How much device memory a data set may take. */
interface DataMemory {

  /** Half of what is free when it is asked; without bound where that is not known. */
  DataMemory HALF_OF_FREE =
      device -> device.freeMemory() == Long.MAX_VALUE ? Long.MAX_VALUE : device.freeMemory() / 2;

  /** Bytes. */
  long of(Device device);

  /**
   * Puts columns of a data set on the device, all of it or as a stream of blocks.
   *
   * @throws IllegalArgumentException where there is too little memory even for two batches
   */
  default BatchData put(
      Device device,
      SequencedMap<String, DType> wanted,
      Dataset data,
      BatchOrder batches,
      EpochOrder epochs) {
    return BatchData.of(device, wanted, data, batches, epochs, of(device));
  }
}
