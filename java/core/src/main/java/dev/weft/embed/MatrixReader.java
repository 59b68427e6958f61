// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static dev.weft.format.Format.format;

import dev.weft.io.FormatException;
import dev.weft.io.Npy;
import dev.weft.io.Safetensors;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Maps matrices of npy and safetensors files, whose words lie beside them. */
final class MatrixReader {
  static final String VECTORS = "vectors";
  static final String WORDS = "words";
  static final String COUNTS = "counts";
  private static final int LONGEST = 1 << 20; // bytes of a word

  private final Path source; // of the words
  private final Words words;
  private final int rows;
  private int read;
  private long @Nullable [] kept; // the row of each word, once a word was there before
  private long[] counts = {};

  private MatrixReader(Path source, long rows, Path matrix) throws FormatException {
    if (rows < 1 || rows > Integer.MAX_VALUE - 16) {
      throw new FormatException(
          matrix, 0, format("%,d rows; word vectors are 1 to %,d", rows, Integer.MAX_VALUE - 16));
    }
    this.source = source;
    this.rows = (int) rows;
    this.words = new Words(this.rows);
  }

  static Content mapNpy(Path path, @Nullable Path vocabulary) throws IOException {
    Arena arena = Arena.ofShared();
    try {
      Npy.Array array = Npy.map(path, arena);
      long[] shape = matrix(path, array.descr(), "<f4", array.shape());
      return beside(path, vocabulary, shape, array.data(), arena);
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  static Content mapSafetensors(Path path, @Nullable Path vocabulary) throws IOException {
    Arena arena = Arena.ofShared();
    try {
      return safetensors(path, vocabulary, Safetensors.map(path, arena), arena);
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  private static Content safetensors(
      Path path, @Nullable Path vocabulary, Safetensors.Contents contents, Arena arena)
      throws IOException {
    Safetensors.Entry vectors = contents.tensor(name(path, contents.tensors()));
    long[] shape = matrix(path, vectors.dtype(), "F32", vectors.shape());
    Safetensors.Entry text = contents.tensors().get(WORDS);
    if (vocabulary != null || text == null || !text.dtype().equals("U8")) {
      return beside(path, vocabulary, shape, vectors.data(), arena);
    }
    MatrixReader reader = new MatrixReader(path, shape[0], path);
    reader.words(text.data());
    Safetensors.Entry counts = contents.tensors().get(COUNTS);
    if (counts != null
        && counts.dtype().equals("I64")
        && counts.data().byteSize() == 8 * shape[0]) {
      reader.counts = counts.data().toArray(ValueLayout.JAVA_LONG_UNALIGNED);
    }
    return reader.content(vectors.data(), (int) shape[1], arena);
  }

  private static String name(Path path, Map<String, Safetensors.Entry> tensors)
      throws FormatException {
    List<String> matrices =
        tensors.containsKey(VECTORS)
            ? List.of(VECTORS)
            : tensors.entrySet().stream()
                .filter(named -> named.getValue().shape().length == 2)
                .map(Map.Entry::getKey)
                .toList();
    if (matrices.size() != 1) {
      throw new FormatException(
          path,
          0,
          format(
              "word vectors are a tensor %s or the only matrix; the matrices here are %s",
              VECTORS, matrices));
    }
    return matrices.getFirst();
  }

  private static long[] matrix(Path path, String type, String wanted, long[] shape)
      throws FormatException {
    boolean sizes = shape.length == 2 && shape[1] >= 1 && shape[1] <= Integer.MAX_VALUE / 8;
    if (!type.equals(wanted) || !sizes) {
      throw new FormatException(
          path,
          0,
          format(
              "%s of shape %s; word vectors are a matrix of float32 (%s), words by numbers",
              type, Arrays.toString(shape), wanted));
    }
    return shape;
  }

  /** The words from a vocabulary file: one a line; where a number ends each line, the counts. */
  private static Content beside(
      Path matrix, @Nullable Path vocabulary, long[] shape, MemorySegment data, Arena arena)
      throws IOException {
    Path file = vocabulary == null ? VectorFormat.vocabulary(matrix) : vocabulary;
    if (!Files.exists(file)) {
      throw new FormatException(
          matrix,
          0,
          "its words are expected in " + file + ", one a line, and there is no such file");
    }
    boolean counted = true;
    try (TextLines lines = new TextLines(file, LONGEST)) {
      while (counted && lines.next()) {
        counted = countAt(lines) >= 0;
      }
    }
    MatrixReader reader = new MatrixReader(file, shape[0], matrix);
    reader.counts = counted ? new long[reader.rows] : reader.counts;
    try (TextLines lines = new TextLines(file, LONGEST)) {
      while (lines.next()) {
        int count = counted ? countAt(lines) : lines.to() + 1;
        if (counted && reader.read < reader.rows) {
          byte[] digits = Arrays.copyOfRange(lines.buffer(), count, lines.to());
          reader.counts[reader.read] =
              Long.parseLong(new String(digits, StandardCharsets.US_ASCII));
        }
        reader.add(lines.buffer(), lines.from(), count - 1);
      }
    }
    return reader.content(data, (int) shape[1], arena);
  }

  /** Where the count begins that ends a line, after a word and a space or tab; -1 where none. */
  private static int countAt(TextLines line) {
    int at = line.to();
    byte[] text = line.buffer();
    while (at > line.from() && text[at - 1] >= '0' && text[at - 1] <= '9') {
      at--;
    }
    boolean number = line.to() > at && line.to() - at <= 18;
    return number && at > line.from() + 1 && (text[at - 1] == ' ' || text[at - 1] == '\t')
        ? at
        : -1;
  }

  private void words(MemorySegment text) throws FormatException {
    byte[] word = new byte[64];
    int length = 0;
    for (long i = 0; i <= text.byteSize(); i++) {
      boolean end = i == text.byteSize();
      byte b = end ? (byte) '\n' : text.get(ValueLayout.JAVA_BYTE, i);
      if (b != '\n' && length == LONGEST) {
        throw new FormatException(
            source, 0, format("word %,d has more than %,d bytes", read + 1, LONGEST));
      } else if (b != '\n') {
        word = length == word.length ? Arrays.copyOf(word, 2 * length) : word;
        word[length++] = b;
      } else if (!end || length > 0) {
        add(word, 0, length);
        length = 0;
      }
    }
  }

  private void add(byte[] text, int from, int to) throws FormatException {
    if (to <= from) {
      throw new FormatException(source, 0, format("word %,d is empty", read + 1));
    }
    if (read == rows) {
      throw different(format("more than %,d words", rows));
    }
    boolean added = words.add(text, from, to);
    if (!added && kept == null) {
      kept = new long[rows];
      Arrays.setAll(kept, i -> i);
    }
    if (added && kept != null) {
      kept[words.size() - 1] = read;
    }
    read++;
  }

  private FormatException different(String what) {
    return new FormatException(
        source, 0, format("%s for a matrix of %,d rows: of another matrix?", what, rows));
  }

  private Content content(MemorySegment data, int dimension, Arena arena) throws FormatException {
    if (read < rows) {
      throw different(format("%,d words", read));
    }
    long[] offsets = kept == null ? null : Arrays.copyOf(kept, words.size());
    if (offsets != null) {
      long[] all = counts;
      counts = all.length == 0 ? all : new long[words.size()];
      for (int i = 0; i < offsets.length; i++) {
        if (all.length > 0) {
          counts[i] = all[(int) offsets[i]];
        }
        offsets[i] *= (long) dimension * Float.BYTES;
      }
    }
    Rows matrix = new Rows(data, offsets, words.size(), dimension);
    return new Content(
        words, matrix, counts.length == 0 ? null : counts, rows - words.size(), arena);
  }
}
