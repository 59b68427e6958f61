// SPDX-License-Identifier: Apache-2.0
package dev.weft.io;

import java.util.Arrays;
import java.util.Map;

/** The types of numbers that safetensors files hold, by the names they have there. */
final class SafetensorsDtype {
  private static final Map<String, Integer> ELEMENT_BYTES =
      Map.ofEntries(
          Map.entry("F64", 8),
          Map.entry("I64", 8),
          Map.entry("U64", 8),
          Map.entry("C64", 8),
          Map.entry("F32", 4),
          Map.entry("I32", 4),
          Map.entry("U32", 4),
          Map.entry("F16", 2),
          Map.entry("BF16", 2),
          Map.entry("I16", 2),
          Map.entry("U16", 2),
          Map.entry("F8_E4M3", 1),
          Map.entry("F8_E5M2", 1),
          Map.entry("F8_E8M0", 1),
          Map.entry("I8", 1),
          Map.entry("U8", 1),
          Map.entry("BOOL", 1));

  private SafetensorsDtype() {}

  /** Bytes of one number; throws IllegalArgumentException for a dtype that is not known. */
  static int elementBytes(String dtype) {
    Integer bytes = ELEMENT_BYTES.get(dtype);
    if (bytes == null) {
      throw new IllegalArgumentException(
          "unknown dtype "
              + dtype
              + "; known are "
              + ELEMENT_BYTES.keySet().stream().sorted().toList());
    }
    return bytes;
  }

  /** Bytes of a tensor; throws IllegalArgumentException where there is no such tensor. */
  static long byteSize(String dtype, long[] shape) {
    long bytes = elementBytes(dtype);
    boolean empty = Arrays.stream(shape).anyMatch(size -> size == 0);
    for (long size : shape) {
      if (size < 0) {
        throw new IllegalArgumentException("negative size in shape " + Arrays.toString(shape));
      }
      try {
        bytes = Math.multiplyExact(bytes, empty ? 1 : size);
      } catch (ArithmeticException e) {
        throw new IllegalArgumentException(
            "shape " + Arrays.toString(shape) + " takes more than 2^63 bytes");
      }
    }
    return empty ? 0 : bytes;
  }
}
