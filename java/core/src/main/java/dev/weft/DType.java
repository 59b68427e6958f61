// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import dev.weft.device.Precision;

/** The type of a tensor's elements. */
public enum DType {
  /** IEEE 754 single precision: what networks train in. */
  F32(4),
  /** IEEE 754 double precision: for checking. */
  F64(8),
  /**
   * bfloat16, the upper half of a float32: its range with 8 significant bits. A type to store in:
   * kernels compute in float32 and round what they store, and sums over it are F32.
   */
  BF16(2),
  /** Unsigned bytes: images until a kernel normalises them. */
  U8(1),
  /** Signed 32-bit integers: class labels and row numbers. */
  I32(4);

  private final int bytes;

  DType(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes of one element. */
  public int bytes() {
    return bytes;
  }

  /**
   * Bytes of a tensor.
   *
   * @throws IllegalArgumentException where no machine has that many
   */
  public long bytes(Shape shape) {
    try {
      return Math.multiplyExact(shape.elements(), bytes);
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException("a tensor of shape " + shape + " is too large", e);
    }
  }

  /** Whether gradients exist for this type. */
  public boolean isFloating() {
    return this == F32 || this == F64 || this == BF16;
  }

  /** The type that is computed in, and that sums and gradients of parameters have: F32 for BF16. */
  public DType wide() {
    return this == BF16 ? F32 : this;
  }

  /**
   * The precision that kernels over this type compute in.
   *
   * @throws IllegalArgumentException for a type that is only stored
   */
  public Precision precision() {
    return switch (this) {
      case F32 -> Precision.F32;
      case F64 -> Precision.F64;
      case BF16 -> Precision.BF16;
      default -> throw new IllegalArgumentException("no kernels compute in " + this);
    };
  }
}
