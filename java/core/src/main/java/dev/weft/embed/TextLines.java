// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static dev.weft.format.Format.format;

import dev.weft.io.FormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/** The lines of a file as bytes, one at a time, without their ends. */
final class TextLines implements AutoCloseable {
  private static final int CHUNK = 1 << 18;

  private final Path path;
  private final FileChannel channel;
  private long longest;
  private byte[] buffer = new byte[CHUNK];
  private int limit; // bytes in the buffer
  private int next; // where the next line begins in it
  private int from;
  private int to;
  private long base; // the byte of the file at which the buffer begins
  private long number;
  private boolean ended;

  /**
   * Opens a file.
   *
   * @param longest bytes of a line at most
   */
  TextLines(Path path, long longest) throws IOException {
    this.path = path;
    this.longest = longest;
    this.channel = FileChannel.open(path, StandardOpenOption.READ);
  }

  /** Sets how many bytes a line has at most. */
  void longest(long bytes) {
    longest = bytes;
  }

  /**
   * Goes to the next line; returns false where there is none.
   *
   * @throws FormatException where it is too long
   */
  boolean next() throws IOException {
    int end = next;
    while (true) {
      for (; end < limit; end++) {
        if (buffer[end] == '\n') {
          line(end, end + 1);
          return true;
        }
      }
      int begun = limit - next;
      if (begun > longest) {
        throw new FormatException(
            path,
            base + next,
            format(
                "line %d has more than %,d bytes: not text of word vectors", number + 1, longest));
      }
      if (!more()) {
        if (begun > 0) {
          line(limit, limit);
        }
        return begun > 0;
      }
      end = begun;
    }
  }

  private void line(int end, int nextLine) {
    from = next;
    to = end > from && buffer[end - 1] == '\r' ? end - 1 : end;
    next = nextLine;
    number++;
  }

  /** Reads on, the line that has begun moved to the front; returns false at the file's end. */
  private boolean more() throws IOException {
    if (ended) {
      return false;
    }
    System.arraycopy(buffer, next, buffer, 0, limit - next);
    base += next;
    limit -= next;
    next = 0;
    if (limit == buffer.length) {
      buffer = Arrays.copyOf(buffer, (int) Math.min(Integer.MAX_VALUE - 16, 2L * limit));
    }
    int read = channel.read(ByteBuffer.wrap(buffer, limit, buffer.length - limit));
    ended = read < 0;
    limit += Math.max(0, read);
    return !ended;
  }

  /** What holds the line, from {@link #from} to {@link #to}, until the next one is read. */
  byte[] buffer() {
    return buffer;
  }

  int from() {
    return from;
  }

  int to() {
    return to;
  }

  int length() {
    return to - from;
  }

  /** The line's number, from 1 on. */
  long number() {
    return number;
  }

  /** The byte of the file at which the line begins. */
  long offset() {
    return base + from;
  }

  /** The line, with replacements where it is not UTF-8. */
  String text() {
    return new String(buffer, from, to - from, StandardCharsets.UTF_8);
  }

  /** Bytes of the file. */
  long size() throws IOException {
    return channel.size();
  }

  /** Whether nothing follows the line. */
  boolean isLast() throws IOException {
    return next == limit && !more();
  }

  /** The line as an error: its number and byte. */
  FormatException wrong(String what) {
    return new FormatException(path, offset(), format("line %d: %s", number, what));
  }

  Path path() {
    return path;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
