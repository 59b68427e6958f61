// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

/** How numbers lie in memory, in the machine's byte order. */
public enum Storage {
  /** Unsigned bytes 0..255. */
  UINT8(1),
  FLOAT32(4),
  FLOAT64(8);

  private final int bytes;

  Storage(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes of one number. */
  public int bytes() {
    return bytes;
  }
}
