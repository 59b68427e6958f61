// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import static dev.weft.format.Format.format;

import dev.weft.io.FormatException;
import dev.weft.io.Gzip;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/** Reads one IDX file: its head when made, then its body. */
final class IdxReader implements AutoCloseable {
  private static final int CHUNK = 1 << 16;
  // What a packed file says of its size can be checked only by unpacking it, so its memory grows
  // with what has come out of it. MNIST needs no second allocation.
  private static final long FIRST_ALLOCATION = 64L << 20;

  private final Path path;
  private final boolean packed;
  private final InputStream in;
  private final IdxType type;
  private final int[] sizes;
  private long offset; // of the next byte, unpacked
  private long expected; // bytes of the body

  IdxReader(Path path) throws IOException {
    this.path = path;
    if (Files.isDirectory(path)) {
      throw new FileSystemException(path.toString(), null, "is a folder, not an IDX file");
    }
    InputStream file = new BufferedInputStream(Files.newInputStream(path), CHUNK);
    InputStream unpacked = file;
    try {
      packed = isGzip(file);
      unpacked = packed ? unpack(file) : file;
      in = unpacked;
      byte[] magic = readMagic();
      type = Objects.requireNonNull(IdxType.of(magic[2]));
      sizes = readSizes(magic[3] & 0xFF);
    } catch (Throwable failure) {
      unpacked.close();
      throw failure;
    }
  }

  private static boolean isGzip(InputStream file) throws IOException {
    file.mark(2);
    boolean gzip = file.read() == 0x1F && file.read() == 0x8B;
    file.reset();
    return gzip;
  }

  private InputStream unpack(InputStream file) throws IOException {
    try {
      return new GZIPInputStream(file, CHUNK);
    } catch (EOFException | ZipException e) {
      file.close();
      throw broken(e);
    }
  }

  /** What is said of gzip data that end too early or are wrong. */
  private FormatException broken(IOException e) {
    return new FormatException(path, offset, Gzip.damage("the file", e), e);
  }

  /** What the numbers are. */
  IdxType type() {
    return type;
  }

  /** Of the next byte, unpacked; that of the body before it was read. */
  long offset() {
    return offset;
  }

  /** The sizes of the dimensions; at least one, each at least 1. */
  int[] sizes() {
    return sizes.clone();
  }

  /** The first 4 bytes: 0, 0, a type, at least one dimension. */
  private byte[] readMagic() throws IOException {
    byte[] magic = head(4, "the 4 bytes that an IDX file begins with");
    if (magic[0] != 0 || magic[1] != 0) {
      throw new FormatException(
          path,
          0,
          format("not an IDX file: it begins with %02X %02X, expected 00 00", magic[0], magic[1]));
    }
    if (IdxType.of(magic[2]) == null) {
      throw new FormatException(
          path, 2, format("type code 0x%02X, expected %s", magic[2] & 0xFF, IdxType.all()));
    }
    if (magic[3] == 0) {
      throw new FormatException(path, 3, "0 dimensions, expected at least 1");
    }
    return magic;
  }

  private int[] readSizes(int dimensions) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(head(4 * dimensions, "the sizes of its dimensions"));
    int[] read = new int[dimensions];
    long most = Long.MAX_VALUE / type.bytes();
    long count = 1;
    for (int i = 0; i < dimensions; i++) {
      long size = bytes.getInt() & 0xFFFFFFFFL;
      if (size < 1 || size > Integer.MAX_VALUE || size > most / count) {
        throw new FormatException(
            path,
            4 + 4L * i,
            format(
                "dimension %d has size %d, expected 1 to %d and fewer than 2^63 numbers in all",
                i, size, Integer.MAX_VALUE));
      }
      read[i] = (int) size;
      count *= size;
    }
    if (count / read[0] > Integer.MAX_VALUE) {
      throw new FormatException(
          path, 8, format("an example has %d numbers, more than 2^31 - 1", count / read[0]));
    }
    expected = count * type.bytes();
    if (!packed && offset + expected != Files.size(path)) {
      throw sizeError(read, Files.size(path) - offset);
    }
    return read;
  }

  private FormatException sizeError(int[] read, long bytes) {
    return new FormatException(
        path,
        offset + Math.min(bytes, expected),
        format(
            "sizes %s in its head ask for %d bytes after it, the file has %s",
            Arrays.toString(read),
            expected,
            packed && bytes > expected ? "more" : Long.toString(bytes)));
  }

  private byte[] head(int count, String what) throws IOException {
    byte[] bytes = new byte[count];
    int read = read(bytes, count);
    if (read < count) {
      throw new FormatException(
          path,
          offset,
          offset == 0 ? "the file is empty, expected " + what : "the file ends within " + what);
    }
    return bytes;
  }

  /** All numbers, row-major. */
  MemorySegment body() throws IOException {
    long head = offset;
    byte[] chunk = new byte[CHUNK];
    long capacity = packed ? Math.min(expected, FIRST_ALLOCATION) : expected;
    MemorySegment body = Arena.ofAuto().allocate(capacity, 64);
    long filled = 0;
    while (true) {
      int read = read(chunk, CHUNK);
      if (filled + read > expected || (read == 0 && filled < expected)) {
        offset = head;
        throw sizeError(sizes, filled + read);
      }
      if (read == 0) {
        return body;
      }
      if (filled + read > capacity) {
        capacity = Math.min(expected, 2 * capacity);
        MemorySegment larger = Arena.ofAuto().allocate(capacity, 64);
        body = larger.copyFrom(body);
      }
      MemorySegment.copy(chunk, 0, body, ValueLayout.JAVA_BYTE, filled, read);
      filled += read;
    }
  }

  /** Reads {@code count} bytes, fewer where the file ends. */
  private int read(byte[] bytes, int count) throws IOException {
    int read = 0;
    try {
      // not readNBytes: where that fails, nobody knows how far it came
      while (read < count) {
        int some = in.read(bytes, read, count - read);
        if (some < 0) {
          break;
        }
        read += some;
        offset += some;
      }
      return read;
    } catch (EOFException | ZipException e) {
      throw broken(e);
    }
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
