// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;

import dev.weft.device.Bfloat16;
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

  /**
   * Whether a value is one of this type, for floating-point types after rounding: a finite number
   * that would become infinite is not.
   */
  public boolean holds(double value) {
    return switch (this) {
      case F64 -> true;
      case F32 -> !Double.isFinite(value) || Float.isFinite((float) value);
      case BF16 -> !Double.isFinite(value) || Float.isFinite(Bfloat16.round((float) value));
      case U8 -> value == Math.rint(value) && value >= 0 && value <= 0xFF;
      case I32 -> value == (int) value;
    };
  }

  /** What says that this type does not hold a value. */
  public IllegalArgumentException refusal(double value, String where) {
    String range =
        switch (this) {
          case U8 -> "whole numbers from 0 to 255";
          case I32 -> "whole numbers from -2147483648 to 2147483647";
          case F32, BF16 -> "numbers up to about 3.4e38";
          case F64 -> "every number";
        };
    return new IllegalArgumentException(
        format("%s is %s, which %s cannot hold: it holds %s", where, value, this, range));
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
