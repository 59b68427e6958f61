// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Removes from a shared library what serves debuggers alone: the sections behind the last segment
 * that is loaded, and the table of sections. Of libjvm.so that is a sixth. Offsets are those of the
 * 64-bit little-endian ELF header (System V ABI, chapter 4).
 */
final class SymbolTable {
  private static final int ELF_64_LITTLE_ENDIAN = 0x0102;
  private static final int MAGIC = 0x464C457F;
  private static final int HEADER = 64;
  private static final int SEGMENTS_AT = 0x20;
  private static final int SECTIONS_AT = 0x28;
  private static final int SEGMENT_SIZE = 0x36;
  private static final int SEGMENT_COUNT = 0x38;
  private static final int SECTION_COUNT = 0x3C;
  private static final int SECTION_NAMES = 0x3E;

  private SymbolTable() {}

  /** Changes the file in place; one that is of another kind stays as it is. */
  static void remove(Path library) throws IOException {
    try (FileChannel file =
        FileChannel.open(library, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer header = read(file, 0, HEADER);
      if (header.getInt(0) != MAGIC || header.getShort(4) != ELF_64_LITTLE_ENDIAN) {
        return;
      }
      int size = header.getShort(SEGMENT_SIZE);
      int count = header.getShort(SEGMENT_COUNT);
      long table = header.getLong(SEGMENTS_AT);
      ByteBuffer segments = read(file, table, size * count);
      long end = table + (long) size * count;
      for (int i = 0; i < count; i++) {
        long offset = segments.getLong(i * size + 8);
        end = Math.max(end, offset + segments.getLong(i * size + 0x20));
      }
      header.putLong(SECTIONS_AT, 0);
      header.putShort(SECTION_COUNT, (short) 0);
      header.putShort(SECTION_NAMES, (short) 0);
      file.write(header.rewind(), 0);
      file.truncate(end);
    }
  }

  private static ByteBuffer read(FileChannel file, long at, int bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (file.read(buffer, at + buffer.position()) < 0) {
        throw new IOException("the file ends at byte " + (at + buffer.position()));
      }
    }
    return buffer;
  }
}
