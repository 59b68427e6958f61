// SPDX-License-Identifier: Apache-2.0
package dev.weft.text;

import static dev.weft.format.Format.count;
import static dev.weft.format.Format.format;

import dev.weft.io.AtomicFile;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.zip.CRC32C;
import java.util.zip.GZIPOutputStream;

/**
 * A text as ids of a vocabulary's words, in a temporary file that is mapped into memory: int32,
 * little-endian, {@link #END} behind each sentence. Words that are not in the vocabulary are left
 * out, and sentences without any other. Made by a {@link TextReader}.
 *
 * <p>Every thread may read it; the file is gone when it is closed, and when the process ends.
 */
public final class Corpus implements AutoCloseable {
  /** What stands behind a sentence, in place of a word's id. */
  public static final int END = -1;

  private static final int BUFFER = 1 << 16;
  private static final long CHUNK = 1L << 30; // bytes

  /**
   * What was found in a text.
   *
   * @param bytes of the text, unpacked
   * @param words of the text, of any kind
   * @param kept the words of which the corpus holds the ids
   * @param types the different words, those that are not kept included; of a text that is read with
   *     a given vocabulary, those of its words that occurred. A type that was forgotten and came
   *     again counts twice
   * @param sentences those in the corpus; 0 where the text is one stream
   * @param replaced how often U+FFFD took the place of bytes that are not UTF-8
   * @param tooLong the words that were left out for their length
   * @param forgotten the types of which the count was forgotten, since there were more than are
   *     counted at a time
   * @param forgottenCount the highest count that was forgotten, 0 where none was
   */
  public record Report(
      long bytes,
      long words,
      long kept,
      long types,
      long sentences,
      long replaced,
      long tooLong,
      long forgotten,
      long forgottenCount) {
    /** A line for people: what is 0 for most texts is left out where it is 0. */
    @Override
    public String toString() {
      StringBuilder line = new StringBuilder();
      line.append(
          format(
              "%s, %s of %s, %,d kept",
              count(bytes, "byte"), count(words, "word"), count(types, "type"), kept));
      if (sentences > 0) {
        line.append(", ").append(count(sentences, "sentence"));
      }
      if (replaced > 0) {
        line.append(format("; not UTF-8 in %s, U+FFFD instead", count(replaced, "place")));
      }
      if (tooLong > 0) {
        line.append(format("; %s too long, left out", count(tooLong, "word")));
      }
      if (forgotten > 0) {
        line.append(
            format(
                "; too many types to count: %,d forgotten, of counts up to %,d",
                forgotten, forgottenCount));
      }
      return line.toString();
    }
  }

  private final Vocabulary vocabulary;
  private final TextReader reader;
  private final TokenFile file;
  private final Report report;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment tokens;
  private final ReadWriteLock lock = new ReentrantReadWriteLock();

  Corpus(Vocabulary vocabulary, TextReader reader, TokenFile file, Report report)
      throws IOException {
    this.vocabulary = vocabulary;
    this.reader = reader.minCount(1).maxVocabulary(Integer.MAX_VALUE).vocabulary(vocabulary);
    this.file = file;
    this.report = report;
    tokens = file.map(arena);
  }

  /** The words of the ids. */
  public Vocabulary vocabulary() {
    return vocabulary;
  }

  /**
   * The reader that reads the text as it was read, and others alike, with the words of {@link
   * #vocabulary}: it makes the same corpus again, but where types were forgotten. That of joined
   * phrases reads the text that {@link #write} makes.
   */
  public TextReader reader() {
    return reader;
  }

  /** What was found in the text. */
  public Report report() {
    return report;
  }

  /** The ids and ends of sentences, read-only; they are gone when the corpus is closed. */
  public MemorySegment tokens() {
    return tokens;
  }

  /** The number of ids and ends of sentences. */
  public long size() {
    return tokens.byteSize() / Integer.BYTES;
  }

  /**
   * Writes its words as a text, a sentence a line, from which {@link TextReader#lines} makes the
   * same corpus; packed by gzip where the name ends in {@code .gz}.
   *
   * @throws IOException if the file cannot be written; the old one is then as it was
   */
  public void write(Path text) throws IOException {
    boolean packed = text.toString().endsWith(".gz");
    AtomicFile.write(
        text,
        channel -> {
          OutputStream file = Channels.newOutputStream(channel);
          GZIPOutputStream packing = packed ? new GZIPOutputStream(file, BUFFER) : null;
          OutputStream out = new BufferedOutputStream(packing == null ? file : packing, BUFFER);
          boolean first = true; // of its line
          for (long at = 0; at < tokens.byteSize(); at += Integer.BYTES) {
            int id = tokens.get(ValueLayout.JAVA_INT, at);
            if (id == END) {
              out.write('\n');
            } else {
              if (!first) {
                out.write(' ');
              }
              out.write(vocabulary.bytes(id));
            }
            first = id == END;
          }
          out.flush();
          if (packing != null) {
            packing.finish();
          }
        });
  }

  /**
   * CRC-32C of the ids and ends of sentences: the same for a text that is read again in the same
   * way. It reads all of them.
   */
  public long checksum() {
    CRC32C sum = new CRC32C();
    long bytes = tokens.byteSize();
    for (long from = 0; from < bytes; from += CHUNK) {
      sum.update(tokens.asSlice(from, Math.min(CHUNK, bytes - from)).asByteBuffer());
    }
    return sum.getValue();
  }

  /**
   * Runs what reads {@link #tokens} by their address, which {@link #close} waits for.
   *
   * @throws IllegalStateException if the corpus is closed
   */
  public void read(Runnable reader) {
    lock.readLock().lock();
    try {
      if (!arena.scope().isAlive()) {
        throw new IllegalStateException("the corpus is closed, and is read");
      }
      reader.run();
    } finally {
      lock.readLock().unlock();
    }
  }

  /** Gives memory and file back; the second time without effect. */
  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      free();
    } finally {
      lock.writeLock().unlock();
    }
  }

  private void free() {
    if (arena.scope().isAlive()) {
      arena.close();
      try {
        file.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
