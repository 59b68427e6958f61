// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The order in which an epoch visits the rows of a data set. */
interface EpochOrder {

  /** Row after row, in every epoch. */
  EpochOrder ASCENDING =
      (epoch, rows) -> {
        for (long i = 0; i < rows.byteSize() / Integer.BYTES; i++) {
          rows.setAtIndex(ValueLayout.JAVA_INT, i, (int) i);
        }
      };

  /** Fills {@code rows}, int32 numbers of rows, for an epoch counted from 0. */
  void write(long epoch, MemorySegment rows);
}
