// SPDX-License-Identifier: Apache-2.0
package dev.weft.text;

import static dev.weft.format.Format.format;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.UUID;
import java.util.function.DoubleSupplier;

/**
 * Token ids in a temporary file, int32, little-endian, {@link Corpus#END} behind each sentence. It
 * is written through its channel and mapped at the end: on a full disk a write fails with words, a
 * mapped page with a signal.
 */
final class TokenFile implements AutoCloseable {
  private static final int CHUNK = 1 << 16; // ids

  private final Path path;
  private final DoubleSupplier read;
  private final FileChannel channel;
  private final int[] ids = new int[CHUNK];
  private int filled;
  private final ByteBuffer bytes =
      ByteBuffer.allocateDirect(CHUNK * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private final IntBuffer ints = bytes.asIntBuffer();
  private long written; // ids
  private long sentences;
  private int last = Corpus.END;

  /**
   * An empty file.
   *
   * @param read the part of the text that was read, in 0..1; 0 where that is not known
   */
  TokenFile(Path folder, DoubleSupplier read) throws IOException {
    this.read = read;
    path = folder.resolve("weft-tokens-" + UUID.randomUUID() + ".tmp");
    try {
      // POSIX takes the name away at once: whatever ends the process, the file is gone
      channel =
          FileChannel.open(
              path,
              StandardOpenOption.CREATE_NEW,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE,
              StandardOpenOption.DELETE_ON_CLOSE);
    } catch (IOException e) {
      String why = Files.isDirectory(folder) ? e.toString() : "there is no such folder";
      throw failure(folder, "no temporary file can be made there (" + why + ")", e);
    }
  }

  /** Appends an id. */
  void add(int id) throws IOException {
    if (filled == CHUNK) {
      flush();
    }
    last = id;
    ids[filled++] = id;
  }

  /** Ends a sentence, where there is one. */
  void end() throws IOException {
    if (last != Corpus.END) {
      add(Corpus.END);
      sentences++;
    }
  }

  long sentences() {
    return sentences;
  }

  /** The bytes of all ids. */
  long size() {
    return (written + filled) * Integer.BYTES;
  }

  private void flush() throws IOException {
    write(filled, written * Integer.BYTES);
    written += filled;
    filled = 0;
  }

  private void write(int count, long to) throws IOException {
    ints.clear().put(ids, 0, count);
    bytes.clear().limit(count * Integer.BYTES);
    try {
      while (bytes.hasRemaining()) {
        channel.write(bytes, to + bytes.position());
      }
    } catch (IOException e) {
      double share = read.getAsDouble();
      String needed =
          share > 0 ? format("about %,.0f bytes are needed", size() / share) : "more are needed";
      throw failure(
          path,
          format(
              "the token ids of a text, 4 bytes a word, cannot be written there (%s): after %,d"
                  + " bytes, %s; another folder may have more room",
              e.getMessage(), size(), needed),
          e);
    }
  }

  private static FileSystemException failure(Path path, String why, IOException cause) {
    FileSystemException failure = new FileSystemException(path.toString(), null, why);
    failure.initCause(cause);
    return failure;
  }

  private void read(int count, long from) throws IOException {
    bytes.clear().limit(count * Integer.BYTES);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes, from + bytes.position()) < 0) {
        throw new FileSystemException(path.toString(), null, "was cut by another program");
      }
    }
    ints.clear().get(ids, 0, count);
  }

  /**
   * Puts other numbers in the place of all ids and leaves out those whose number is -1, and
   * sentences of which nothing is left.
   */
  void renumber(int[] numbers) throws IOException {
    flush();
    sentences = 0;
    long kept = 0;
    last = Corpus.END;
    for (long from = 0; from < written; from += CHUNK) {
      int count = (int) Math.min(CHUNK, written - from);
      read(count, from * Integer.BYTES);
      int left = 0;
      int before = last;
      for (int i = 0; i < count; i++) {
        int id = ids[i];
        int number = id < 0 ? Corpus.END : numbers[id];
        ids[left] = number;
        boolean end = id < 0 && before >= 0;
        boolean keep = number >= 0 || end;
        sentences += end ? 1 : 0;
        left += keep ? 1 : 0;
        before = keep ? number : before;
      }
      last = before;
      write(left, kept * Integer.BYTES);
      kept += left;
    }
    written = kept;
  }

  /** All ids, in memory that the arena gives back. */
  MemorySegment map(Arena arena) throws IOException {
    flush();
    channel.truncate(written * Integer.BYTES);
    return channel.map(FileChannel.MapMode.READ_ONLY, 0, written * Integer.BYTES, arena);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
