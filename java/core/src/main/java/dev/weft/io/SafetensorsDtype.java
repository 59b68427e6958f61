// SPDX-License-Identifier: Apache-2.0
package dev.weft.io;

import java.util.Arrays;

/**
 * The types of numbers that safetensors files hold, by the names they have there, in the order of
 * the reference implementation, which is also that of tensors in a file, last first.
 */
enum SafetensorsDtype {
  BOOL(8),
  F4(4),
  F6_E2M3(6),
  F6_E3M2(6),
  U8(8),
  I8(8),
  F8_E5M2(8),
  F8_E4M3(8),
  F8_E8M0(8),
  F8_E4M3FNUZ(8),
  F8_E5M2FNUZ(8),
  I16(16),
  U16(16),
  F16(16),
  BF16(16),
  I32(32),
  U32(32),
  F32(32),
  C64(64),
  F64(64),
  I64(64),
  U64(64);

  private final int bits;

  SafetensorsDtype(int bits) {
    this.bits = bits;
  }

  /** Whether the format, as far as it is known here, has such a type. */
  static boolean isKnown(String name) {
    return Arrays.stream(values()).anyMatch(dtype -> dtype.name().equals(name));
  }

  /** The type of that name; throws IllegalArgumentException where none is known. */
  static SafetensorsDtype of(String name) {
    if (!isKnown(name)) {
      throw new IllegalArgumentException(
          "unknown dtype " + name + "; known are " + Arrays.toString(values()));
    }
    return valueOf(name);
  }

  /** Bytes of a tensor; throws IllegalArgumentException where there is no such tensor. */
  long byteSize(long[] shape) {
    boolean empty = Arrays.stream(shape).anyMatch(size -> size == 0);
    long elements = 1;
    for (long size : shape) {
      if (size < 0) {
        throw new IllegalArgumentException("negative size in shape " + Arrays.toString(shape));
      }
      elements = times(elements, empty ? 1 : size, shape);
    }
    if (empty) {
      return 0;
    }
    if (bits % 8 == 0) {
      return times(elements, bits / 8, shape);
    }
    long packed = times(elements, bits, shape);
    if (packed % 8 != 0) {
      throw new IllegalArgumentException(
          this
              + " of shape "
              + Arrays.toString(shape)
              + " takes "
              + packed
              + " bits, which are not whole bytes");
    }
    return packed / 8;
  }

  private static long times(long a, long b, long[] shape) {
    try {
      return Math.multiplyExact(a, b);
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(
          "shape " + Arrays.toString(shape) + " takes more than 2^63 bytes", e);
    }
  }
}
