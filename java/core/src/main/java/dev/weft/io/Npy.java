// SPDX-License-Identifier: Apache-2.0
package dev.weft.io;

import static dev.weft.format.Format.format;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Files of one array in NumPy's format (NEP 1), as {@code numpy.save} writes them:
 *
 * <pre>
 *   6 bytes       93 'NUMPY'
 *   2 bytes       the version: 1.0, 2.0 or 3.0
 *   2 or 4 bytes  n, little-endian; 2 in version 1.0
 *   n bytes       {'descr': '&lt;f4', 'fortran_order': False, 'shape': (3, 4), }, spaces, a newline
 *   the rest      the array's numbers
 * </pre>
 */
public final class Npy {
  /** The first byte of a file is 0x93, these are the next five. */
  private static final String NAME = "NUMPY";

  private static final int VERSION_END = 8;
  private static final int LARGEST_HEADER = 1 << 20;
  private static final int ALIGNMENT = 64;
  private static final Pattern DESCR = Pattern.compile("'descr'\\s*:\\s*'([^']*)'");
  private static final Pattern ORDER = Pattern.compile("'fortran_order'\\s*:\\s*(True|False)");
  private static final Pattern SHAPE = Pattern.compile("'shape'\\s*:\\s*\\(([0-9, L]*)\\)");

  private Npy() {}

  /**
   * An array in a file.
   *
   * @param descr the type as NumPy spells it: {@code <f4} for float32, little-endian
   * @param shape empty for a scalar
   * @param data product(shape) numbers, row-major
   */
  public record Array(String descr, long[] shape, MemorySegment data) {
    /** Copies the shape. */
    public Array {
      shape = shape.clone();
    }

    /** A copy of the shape. */
    @Override
    public long[] shape() {
      return shape.clone();
    }
  }

  /**
   * Maps a file into memory, as {@link Safetensors#map} does: numbers come from the disk when they
   * are touched.
   *
   * @param arena whose close unmaps the file
   * @throws FormatException if the file is not npy, is cut short or longer than its shape says, or
   *     its array lies by columns or is not of numbers of a fixed size
   * @throws IOException if it cannot be mapped
   */
  public static Array map(Path path, Arena arena) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      long size = channel.size();
      ByteBuffer start = read(channel, 0, (int) Math.min(size, VERSION_END + Integer.BYTES));
      if (start.limit() < VERSION_END + Short.BYTES || !isNpy(start)) {
        throw new FormatException(path, 0, "not an npy file: it must begin with 93 'NUMPY'");
      }
      boolean first = start.get(VERSION_END - 2) == 1;
      int textAt = VERSION_END + (first ? Short.BYTES : Integer.BYTES);
      long length =
          first ? start.getShort(VERSION_END) & 0xFFFF : size < textAt ? 0 : length(start);
      if (length > LARGEST_HEADER || textAt + length > size) {
        throw new FormatException(
            path, size, format("the file ends within its header, of %,d bytes", length));
      }
      String header = StandardCharsets.UTF_8.decode(read(channel, textAt, (int) length)).toString();
      String descr = field(path, header, DESCR, "descr");
      if (field(path, header, ORDER, "fortran_order").equals("True")) {
        throw new FormatException(
            path, textAt, "the array lies by columns; save numpy.ascontiguousarray of it");
      }
      long[] shape = shape(path, field(path, header, SHAPE, "shape"));
      long bytes = bytes(path, descr, shape);
      long data = textAt + length;
      if (bytes != size - data) {
        throw new FormatException(
            path,
            Math.min(size, data + Math.max(0, bytes)),
            format(
                "%s%,d bytes of numbers are here; %s of shape %s takes %,d",
                bytes > size - data ? "the file is cut short, perhaps by a download: " : "",
                size - data,
                descr,
                Arrays.toString(shape),
                bytes));
      }
      return new Array(
          descr, shape, channel.map(FileChannel.MapMode.READ_ONLY, data, bytes, arena));
    }
  }

  /** Whether a file that begins with these bytes is of this format. */
  public static boolean isNpy(ByteBuffer start) {
    byte[] name = NAME.getBytes(StandardCharsets.US_ASCII);
    return start.limit() > name.length
        && start.get(0) == (byte) 0x93
        && start.slice(1, name.length).equals(ByteBuffer.wrap(name));
  }

  /**
   * Writes the head of a float32 array, after which its numbers follow, little-endian, row-major.
   *
   * @throws IOException if it cannot be written
   */
  public static void writeHead(OutputStream out, long... shape) throws IOException {
    String sizes =
        Arrays.stream(shape).mapToObj(size -> size + ",").collect(Collectors.joining(" "));
    String tuple = shape.length == 1 ? sizes : sizes.replaceFirst(",$", "");
    String text = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + tuple + "), }";
    int before = VERSION_END + Short.BYTES;
    int padded = (before + text.length() + ALIGNMENT) / ALIGNMENT * ALIGNMENT - before;
    ByteBuffer head = ByteBuffer.allocate(before + padded).order(ByteOrder.LITTLE_ENDIAN);
    head.put((byte) 0x93).put(NAME.getBytes(StandardCharsets.US_ASCII)).put((byte) 1).put((byte) 0);
    head.putShort((short) padded).put(text.getBytes(StandardCharsets.US_ASCII));
    Arrays.fill(head.array(), head.position(), before + padded - 1, (byte) ' ');
    head.array()[before + padded - 1] = '\n';
    out.write(head.array());
  }

  private static long length(ByteBuffer start) {
    return start.getInt(VERSION_END) & 0xFFFFFFFFL;
  }

  private static ByteBuffer read(FileChannel channel, long from, int bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining() && channel.read(buffer, from + buffer.position()) >= 0) {
      // reads on
    }
    return buffer.flip();
  }

  private static String field(Path path, String header, Pattern pattern, String name)
      throws FormatException {
    Matcher matcher = pattern.matcher(header);
    if (!matcher.find()) {
      throw new FormatException(
          path,
          VERSION_END,
          format("the header says no '%s' that is known here: %s", name, header.strip()));
    }
    return matcher.group(1);
  }

  private static long[] shape(Path path, String text) throws FormatException {
    try {
      return Arrays.stream(text.replace("L", "").split(","))
          .map(String::strip)
          .filter(size -> !size.isEmpty())
          .mapToLong(Long::parseLong)
          .toArray();
    } catch (NumberFormatException e) {
      throw new FormatException(path, VERSION_END, "no shape: (" + text + ")", e);
    }
  }

  private static long bytes(Path path, String descr, long[] shape) throws FormatException {
    if (!descr.matches("[<>|=]?[biufc][1-9]\\d?")) {
      throw new FormatException(
          path, VERSION_END, "an array of " + descr + ", which is not one of numbers");
    }
    try {
      long bytes = Long.parseLong(descr.replaceFirst("^\\D*", ""));
      for (long size : shape) {
        bytes = Math.multiplyExact(bytes, size);
      }
      return bytes;
    } catch (ArithmeticException e) {
      throw new FormatException(
          path, VERSION_END, "shape " + Arrays.toString(shape) + " takes more than 2^63 bytes", e);
    }
  }
}
