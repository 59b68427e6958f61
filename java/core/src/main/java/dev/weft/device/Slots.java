// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Writes an argument struct field by field: every field is eight bytes. */
public final class Slots {
  private MemorySegment target = MemorySegment.NULL;
  private long offset;

  /** Starts over at the first slot of {@code target}. */
  public Slots into(MemorySegment target) {
    this.target = target;
    this.offset = 0;
    return this;
  }

  /** Writes a pointer (P) or an integer (I). */
  public Slots put(long value) {
    target.set(ValueLayout.JAVA_LONG, offset, value);
    offset += Long.BYTES;
    return this;
  }

  /** Writes a floating-point number (D). */
  public Slots put(double value) {
    target.set(ValueLayout.JAVA_DOUBLE, offset, value);
    offset += Double.BYTES;
    return this;
  }

  /** Writes a flag as an integer: 1 or 0. */
  public Slots put(boolean value) {
    return put(value ? 1L : 0L);
  }

  /** Writes a value of an enum as its number. */
  public Slots put(Enum<?> value) {
    return put((long) value.ordinal());
  }

  /** Bytes written since {@link #into}. */
  public long bytes() {
    return offset;
  }
}
