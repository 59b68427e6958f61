// SPDX-License-Identifier: Apache-2.0
package dev.weft.report;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/** Grey values as a PNG of 8 bits a pixel, for which a Java without java.desktop suffices. */
final class GreyPng {
  private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  private static final int OVERHEAD = 12; // of a chunk: its length, its name, its sum

  private GreyPng() {}

  /** The file of {@code grey[row][column]}, 0 (black) to 255. */
  static byte[] of(int[][] grey) {
    int width = grey[0].length;
    ByteBuffer header = ByteBuffer.allocate(13);
    header.putInt(width).putInt(grey.length).put((byte) 8).put(new byte[4]);
    ByteBuffer rows = ByteBuffer.allocate(grey.length * (width + 1));
    for (int[] row : grey) {
      rows.put((byte) 0); // the row as it is, not as a difference from its neighbour
      for (int pixel : row) {
        rows.put((byte) pixel);
      }
    }
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    file.writeBytes(SIGNATURE);
    file.writeBytes(chunk("IHDR", header.array()));
    file.writeBytes(chunk("IDAT", deflated(rows.array())));
    file.writeBytes(chunk("IEND", new byte[0]));
    return file.toByteArray();
  }

  private static byte[] deflated(byte[] bytes) {
    try (Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION)) {
      deflater.setInput(bytes);
      deflater.finish();
      ByteArrayOutputStream packed = new ByteArrayOutputStream();
      byte[] buffer = new byte[1 << 13];
      while (!deflater.finished()) {
        packed.write(buffer, 0, deflater.deflate(buffer));
      }
      return packed.toByteArray();
    }
  }

  private static byte[] chunk(String name, byte[] content) {
    ByteBuffer chunk = ByteBuffer.allocate(content.length + OVERHEAD);
    chunk.putInt(content.length).put(name.getBytes(US_ASCII)).put(content);
    CRC32 sum = new CRC32();
    sum.update(chunk.array(), Integer.BYTES, Integer.BYTES + content.length);
    return chunk.putInt((int) sum.getValue()).array();
  }
}
