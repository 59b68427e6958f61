// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static dev.weft.format.Format.format;

import dev.weft.io.FormatException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/** Maps word2vec's binary files: the words are read, the rows stay between them. */
final class BinaryReader {
  private static final int LONGEST = 1 << 16; // bytes of a word
  private static final int ROOM = 1 << 16;

  private final Path path;
  private final MemorySegment file;
  private final byte[] word = new byte[LONGEST];
  private int length; // of the word
  private long at;

  private BinaryReader(Path path, MemorySegment file) {
    this.path = path;
    this.file = file;
  }

  static Content map(Path path) throws IOException {
    Arena arena = Arena.ofShared();
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      MemorySegment file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      return new BinaryReader(path, file).read(arena);
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  private Content read(Arena arena) throws FormatException {
    byte[] start = new byte[(int) Math.min(64, file.byteSize())];
    MemorySegment.copy(file, ValueLayout.JAVA_BYTE, 0, start, 0, start.length);
    Header header = Header.find(start, start.length);
    if (header == null) {
      throw new FormatException(
          path, 0, "word2vec binary begins with a line of two counts, words and numbers of each");
    }
    at = header.length();
    header.check(path, file.byteSize() - at, Float.BYTES, 2);
    int count = (int) header.rows();
    long rowBytes = header.columns() * Float.BYTES;
    Words words = new Words(count);
    long[] offsets = new long[Math.min(count, ROOM)];
    for (int i = 0; i < count; i++) {
      word(i, count);
      if (file.byteSize() - at < rowBytes) {
        throw new FormatException(
            path,
            file.byteSize(),
            format(
                "the file ends within the vector of word %,d of %,d: it is cut short, perhaps by a"
                    + " download",
                i + 1, count));
      }
      if (words.add(word, 0, length)) {
        if (words.size() > offsets.length) {
          offsets = Arrays.copyOf(offsets, (int) Math.min(count, offsets.length * 2L));
        }
        offsets[words.size() - 1] = at;
      }
      at += rowBytes;
    }
    at += at < file.byteSize() && next() == '\n' ? 1 : 0;
    if (at != file.byteSize()) {
      throw new FormatException(
          path,
          at,
          format(
              "the header promises %,d words of %d numbers, and %,d bytes follow the last",
              count, header.columns(), file.byteSize() - at));
    }
    Rows rows = new Rows(file, offsets, words.size(), (int) header.columns());
    return new Content(words, rows, null, count - words.size(), arena);
  }

  private byte next() {
    return file.get(ValueLayout.JAVA_BYTE, at);
  }

  /** Reads a word and the space behind it, after the newline that may end the row before. */
  private void word(int i, int count) throws FormatException {
    long begin = at;
    at += at < file.byteSize() && next() == '\n' ? 1 : 0;
    length = 0;
    for (; at < file.byteSize(); at++) {
      byte b = next();
      if (b == ' ' && length > 0) {
        at++;
        return;
      }
      if (b == ' ' || b == '\n' || length == LONGEST) {
        throw new FormatException(
            path,
            at,
            format(
                "word %,d of %,d, from byte %d on, %s: the header promises other than what follows,"
                    + " or this is not word2vec binary",
                i + 1,
                count,
                begin,
                b == ' ' ? "is empty" : b == '\n' ? "holds a newline" : "has no end"));
      }
      word[length++] = b;
    }
    throw new FormatException(
        path,
        at,
        format(
            "the file ends after %,d of %,d words: it is cut short, perhaps by a download",
            i, count));
  }
}
