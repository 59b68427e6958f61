// SPDX-License-Identifier: Apache-2.0
package dev.weft.text;

import static dev.weft.format.Format.format;

import dev.weft.io.FormatException;
import dev.weft.io.Gzip;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.PushbackInputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;

/** A text in blocks, read and unpacked by a thread of its own, some blocks ahead. */
final class TextBlocks implements AutoCloseable {
  // two or three fit into a second-level cache beside the table of words
  private static final int SIZE = 1 << 18;
  private static final int BLOCKS = 6;
  private static final int HEAD = 1 << 16;
  // of ASCII in UTF-16 every other byte is 0, of programs every third; words may stand between
  // zeros
  private static final int MOST_ZEROS_IN = 5;

  /** Some bytes of a text, and 8 more that mean nothing. */
  static final class Block {
    final byte[] bytes = new byte[SIZE + 8];
    int length; // 0: the end
    @Nullable Throwable failure;
  }

  private final @Nullable Path path;
  private final @Nullable FileChannel file;
  private final InputStream raw;
  private final BlockingQueue<Block> free = new ArrayBlockingQueue<>(BLOCKS);
  private final BlockingQueue<Block> full = new ArrayBlockingQueue<>(BLOCKS);
  private final Thread thread;
  private volatile double share; // of the file, that was read
  private long offset; // of the next byte, unpacked
  private @Nullable Block current;

  /** A file's text. */
  static TextBlocks of(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      throw new FileSystemException(path.toString(), null, "is a folder, not a text");
    }
    if (!Files.isRegularFile(path)) { // a pipe has no position
      return new TextBlocks(path, null, Files.newInputStream(path));
    }
    FileChannel file = FileChannel.open(path);
    return new TextBlocks(path, file, Channels.newInputStream(file));
  }

  /** A stream's text, up to its end; the stream stays open. */
  static TextBlocks of(InputStream stream) {
    return new TextBlocks(null, null, stream);
  }

  private TextBlocks(@Nullable Path path, @Nullable FileChannel file, InputStream raw) {
    this.path = path;
    this.file = file;
    this.raw = raw;
    for (int i = 0; i < BLOCKS; i++) {
      free.add(new Block());
    }
    thread = Thread.ofPlatform().daemon().name("weft-text").start(this::run);
  }

  /** What the text is called. */
  @Override
  public String toString() {
    return path == null ? "the text" : path.toString();
  }

  /** The part of a file that was read, in 0..1; of a stream 0. */
  double share() {
    return share;
  }

  /** The next block, which is whole until the next call; null at the end. */
  @Nullable Block next() throws IOException {
    try {
      if (current != null) {
        free.put(current);
      }
      current = full.take();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("reading the text was interrupted");
    }
    switch (current.failure) {
      case null -> {}
      case IOException e -> throw e;
      case RuntimeException e -> throw e;
      case Throwable e -> throw new IllegalStateException(e);
    }
    return current.length == 0 ? null : current;
  }

  private void run() {
    try {
      Block block = free.take();
      try {
        InputStream text = unpacked();
        do {
          fill(block, text);
          boolean first = offset == 0;
          offset += block.length;
          if (first) {
            checkIsText(block);
          }
          boolean end = block.length == 0;
          full.put(block);
          if (end) {
            return;
          }
          block = free.take();
        } while (true);
      } catch (IOException | RuntimeException | Error e) {
        block.failure = e;
        full.put(block);
      }
    } catch (InterruptedException e) {
      // closed before the end: nobody waits for more
    } finally {
      closeFile();
    }
  }

  private void closeFile() {
    if (path != null) {
      try {
        raw.close();
      } catch (IOException e) {
        // of a file that was only read
      }
    }
  }

  private InputStream unpacked() throws IOException {
    PushbackInputStream source = new PushbackInputStream(raw, 2);
    byte[] magic = source.readNBytes(2);
    source.unread(magic);
    if (magic.length < 2 || magic[0] != 0x1F || magic[1] != (byte) 0x8B) {
      return source;
    }
    try {
      return new GZIPInputStream(source, HEAD);
    } catch (EOFException | ZipException e) {
      throw broken(e);
    }
  }

  private void fill(Block block, InputStream text) throws IOException {
    block.length = 0;
    try {
      while (block.length < SIZE) {
        int read = text.read(block.bytes, block.length, SIZE - block.length);
        if (read < 0) {
          break;
        }
        block.length += read;
      }
      if (file != null) {
        share = (double) file.position() / file.size();
      }
    } catch (EOFException | ZipException e) {
      offset += block.length;
      throw broken(e);
    }
  }

  private IOException broken(IOException e) {
    IOException broken = error(offset, Gzip.damage("the text", e));
    broken.initCause(e);
    return broken;
  }

  private IOException error(long at, String what) {
    return path == null
        ? new IOException(format("the text, byte %d: %s", at, what))
        : new FormatException(path, at, what);
  }

  private void checkIsText(Block block) throws IOException {
    int head = Math.min(HEAD, block.length);
    int zeros = 0;
    for (int i = 0; i < head; i++) {
      zeros += block.bytes[i] == 0 ? 1 : 0;
    }
    int mark = head < 2 ? 0 : (block.bytes[0] & 0xFF) << 8 | (block.bytes[1] & 0xFF);
    if (mark == 0xFEFF || mark == 0xFFFE) {
      throw error(0, "the text is UTF-16, which iconv -f UTF-16 -t UTF-8 converts; expected UTF-8");
    }
    if (zeros * MOST_ZEROS_IN > head) {
      String what = "no text in UTF-8: %,d of the first %,d bytes are 0, as in programs or UTF-16";
      throw error(0, format(what, zeros, head));
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
