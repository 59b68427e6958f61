// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import dev.weft.DType;

/** How numbers lie in memory, in the machine's byte order. */
public enum Storage {
  /** Unsigned bytes 0..255. */
  UINT8(DType.U8),
  /** Ids. */
  INT32(DType.I32),
  /** Numbers of 32 bits. */
  FLOAT32(DType.F32),
  /** Numbers of 64 bits. */
  FLOAT64(DType.F64);

  private final DType dtype;

  Storage(DType dtype) {
    this.dtype = dtype;
  }

  /** The type of a tensor that holds the same bits. */
  public DType dtype() {
    return dtype;
  }

  /** Bytes of one number. */
  public int bytes() {
    return dtype.bytes();
  }
}
