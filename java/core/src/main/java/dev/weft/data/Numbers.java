// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import static dev.weft.format.Format.format;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** Numbers off the heap and how they are read: value[i] = scale * stored[i] + shift. */
record Numbers(Storage storage, MemorySegment data, double scale, double shift) {
  private static final int LARGEST_BYTE = 255;

  Numbers {
    data = data.asReadOnly();
  }

  /** Bytes are read as numbers from 0 to 1, all others as they are. */
  static Numbers of(Storage storage, MemorySegment data) {
    return new Numbers(storage, data, storage == Storage.UINT8 ? 1.0 / LARGEST_BYTE : 1, 0);
  }

  /** Memory that is freed when nobody can reach it any more. */
  static MemorySegment allocate(Storage storage, long count) {
    return Arena.ofAuto().allocate(count * storage.bytes(), 64);
  }

  /** What lies in several arrays, one after the other. */
  static Numbers copied(Storage storage, List<MemorySegment> parts) {
    long bytes = parts.stream().mapToLong(MemorySegment::byteSize).sum();
    MemorySegment data = allocate(storage, bytes / storage.bytes());
    long place = 0;
    for (MemorySegment part : parts) {
      data.asSlice(place).copyFrom(part);
      place += part.byteSize();
    }
    return of(storage, data);
  }

  long count() {
    return data.byteSize() / storage.bytes();
  }

  double value(long i) {
    double stored =
        switch (storage) {
          case UINT8 -> data.get(ValueLayout.JAVA_BYTE, i) & LARGEST_BYTE;
          case INT32 -> data.getAtIndex(ValueLayout.JAVA_INT, i);
          case FLOAT32 -> data.getAtIndex(ValueLayout.JAVA_FLOAT, i);
          case FLOAT64 -> data.getAtIndex(ValueLayout.JAVA_DOUBLE, i);
        };
    return scale * stored + shift;
  }

  Numbers slice(long from, long size) {
    long each = storage.bytes();
    return new Numbers(storage, data.asSlice(from * each, size * each), scale, shift);
  }

  /** Throws as {@link Column#scaled} does. */
  Numbers scaled(double newScale, double newShift) {
    if (storage == Storage.INT32) {
      throw new IllegalArgumentException("ids are no numbers that could be scaled");
    }
    if (!Double.isFinite(newScale) || !Double.isFinite(newShift) || newScale == 0) {
      throw new IllegalArgumentException(
          format("value = %s * stored + %s is not a reading of numbers", newScale, newShift));
    }
    if (storage == Storage.UINT8
        && Math.abs(newScale) * LARGEST_BYTE + Math.abs(newShift) > Float.MAX_VALUE) {
      // bytes are read on the device, where nobody would look
      throw new IllegalArgumentException(
          format("value = %s * byte + %s is too large for float32", newScale, newShift));
    }
    return new Numbers(storage, data, newScale, newShift);
  }

  /**
   * Whether these are held so already: bytes, whose reading stays, ids, and numbers as they are.
   *
   * @throws IllegalArgumentException where they cannot be converted either
   */
  boolean are(Storage wanted) {
    if (wanted == storage && (wanted == Storage.UINT8 || scale == 1 && shift == 0)) {
      return true;
    }
    if (storage == Storage.INT32 || wanted == Storage.UINT8 || wanted == Storage.INT32) {
      throw new IllegalArgumentException(
          format(
              "%s cannot be turned into %s", storage == Storage.INT32 ? "ids" : "numbers", wanted));
    }
    return false;
  }
}
