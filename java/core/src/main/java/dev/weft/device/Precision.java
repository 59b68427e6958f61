// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static java.util.Locale.ROOT;

/** The type that a kernel's elements are stored in; the suffix of its symbol. */
public enum Precision {
  F32(4),
  F64(8),
  /** Stored in bfloat16, computed in float32. */
  BF16(2);

  private final int bytes;
  private final String suffix = "_" + name().toLowerCase(ROOT);

  Precision(int bytes) {
    this.bytes = bytes;
  }

  /** The suffix of kernel symbols, such as {@code _f32}. */
  public String suffix() {
    return suffix;
  }

  /** Bytes of an element. */
  public int bytes() {
    return bytes;
  }

  /** What the contract calls wide: the type that is computed in, F32 for BF16. */
  public Precision wide() {
    return this == BF16 ? F32 : this;
  }
}
