// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

/** The element type that a kernel computes in; the suffix of its symbol. */
public enum Precision {
  F32,
  F64;

  /** The suffix of kernel symbols, such as {@code _f32}. */
  public String suffix() {
    return this == F32 ? "_f32" : "_f64";
  }

  /** Bytes of an element. */
  public int bytes() {
    return this == F32 ? Float.BYTES : Double.BYTES;
  }
}
