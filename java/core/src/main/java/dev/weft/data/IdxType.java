// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import static dev.weft.format.Format.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The types of numbers of IDX files, big-endian, and how they are held: without loss. */
enum IdxType {
  UNSIGNED_BYTE(0x08, 1, "unsigned bytes", Storage.UINT8),
  SIGNED_BYTE(0x09, 1, "signed bytes", Storage.FLOAT32),
  SHORT(0x0B, 2, "16-bit integers", Storage.FLOAT32),
  // float32 has no room for all of them
  INT(0x0C, 4, "32-bit integers", Storage.FLOAT64),
  FLOAT(0x0D, 4, "32-bit floats", Storage.FLOAT32),
  DOUBLE(0x0E, 8, "64-bit floats", Storage.FLOAT64);

  private static final ValueLayout.OfShort SHORTS =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfInt INTS =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfFloat FLOATS =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfDouble DOUBLES =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private final int code;
  private final int bytes;
  private final String words;
  private final Storage storage;

  IdxType(int code, int bytes, String words, Storage storage) {
    this.code = code;
    this.bytes = bytes;
    this.words = words;
    this.storage = storage;
  }

  /** The type of that code in a file's third byte; null for none. */
  static @Nullable IdxType of(int code) {
    return Arrays.stream(values()).filter(type -> type.code == code).findFirst().orElse(null);
  }

  /** All of them, for a message. */
  static String all() {
    return Arrays.stream(values()).map(IdxType::toString).collect(Collectors.joining(", "));
  }

  /** Bytes of one number. */
  int bytes() {
    return bytes;
  }

  /** What a {@link Column} holds such numbers as. */
  Storage storage() {
    return storage;
  }

  boolean isWhole() {
    return this != FLOAT && this != DOUBLE;
  }

  /** Number {@code i} of a file's body. */
  double value(MemorySegment body, long i) {
    return switch (this) {
      case UNSIGNED_BYTE -> body.get(ValueLayout.JAVA_BYTE, i) & 0xFF;
      case SIGNED_BYTE -> body.get(ValueLayout.JAVA_BYTE, i);
      case SHORT -> body.getAtIndex(SHORTS, i);
      case INT -> body.getAtIndex(INTS, i);
      case FLOAT -> body.getAtIndex(FLOATS, i);
      case DOUBLE -> body.getAtIndex(DOUBLES, i);
    };
  }

  @Override
  public String toString() {
    return format("0x%02X (%s)", code, words);
  }
}
