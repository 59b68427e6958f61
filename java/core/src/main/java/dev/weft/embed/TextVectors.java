// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static dev.weft.format.Format.format;

import dev.weft.io.FormatException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads word2vec's and GloVe's text. A line is split from the right, since a token may hold spaces;
 * numbers are apart by spaces or tabs.
 */
final class TextVectors {
  private static final long LONGEST = 1 << 24; // bytes of a line whose numbers are not known
  private static final int LOOKED_AT = 1_000; // lines of GloVe's that say how many numbers

  private final TextLines lines;
  private final @Nullable Header header;
  private final int dimension;
  private final float[] row;
  private final Decimal decimal = new Decimal();

  private TextVectors(TextLines lines, @Nullable Header header, int dimension) {
    this.lines = lines;
    this.header = header;
    this.dimension = dimension;
    this.row = new float[dimension];
    lines.longest((1 << 16) + 64L * dimension);
  }

  /** Reads word2vec's text. */
  static Content readWord2vec(Path path) throws IOException {
    try (TextLines lines = new TextLines(path, LONGEST)) {
      Header header = lines.next() ? Header.parse(lines) : null;
      if (header == null) {
        throw new FormatException(
            path,
            0,
            "word2vec text begins with a line of two counts, words and numbers of each; a file"
                + " without is GloVe text");
      }
      header.check(path, lines.size() - header.length(), 2, 2);
      return new TextVectors(lines, header, (int) header.columns()).read((int) header.rows());
    }
  }

  /** Reads GloVe's text. */
  static Content readGlove(Path path) throws IOException {
    long count = 0;
    int dimension;
    try (TextLines lines = new TextLines(path, LONGEST)) {
      dimension = dimension(path);
      while (lines.next()) {
        count += lines.length() > 0 ? 1 : 0;
      }
      if (count > Integer.MAX_VALUE - 16) {
        throw new FormatException(path, 0, format("%,d lines, which are too many words", count));
      }
      if (count > (lines.size() + 1) / (2L * dimension + 2)) {
        throw new FormatException(
            path,
            0,
            format(
                "%,d lines of %d numbers take more than its %,d bytes",
                count, dimension, lines.size()));
      }
    }
    try (TextLines lines = new TextLines(path, LONGEST)) {
      return new TextVectors(lines, null, dimension).read((int) count);
    }
  }

  /** The count of numbers that most of the first lines have, of equals the smaller. */
  private static int dimension(Path path) throws IOException {
    TreeMap<Integer, Integer> seen = new TreeMap<>();
    try (TextLines lines = new TextLines(path, LONGEST)) {
      while (lines.number() < LOOKED_AT && lines.next()) {
        seen.merge(pieces(lines) - 1, 1, Integer::sum);
      }
    }
    int best = 0;
    for (var entry : seen.entrySet()) {
      if (entry.getKey() > 0 && entry.getValue() > seen.getOrDefault(best, 0)) {
        best = entry.getKey();
      }
    }
    if (best == 0) {
      throw new FormatException(path, 0, "no line holds a word and its numbers");
    }
    return best;
  }

  private static int pieces(TextLines line) {
    int pieces = 0;
    boolean within = false;
    for (int i = line.from(); i < line.to(); i++) {
      boolean separator = isSeparator(line.buffer()[i]);
      pieces += !separator && !within ? 1 : 0;
      within = !separator;
    }
    return pieces;
  }

  private static boolean isSeparator(byte b) {
    return b == ' ' || b == '\t';
  }

  private Content read(int count) throws IOException {
    Arena arena = Arena.ofShared();
    try {
      MemorySegment data = arena.allocate((long) count * dimension * Float.BYTES, Float.BYTES);
      Words words = new Words(count);
      int read = 0;
      while (lines.next()) {
        if (lines.length() == 0 && lines.isLast()) {
          break;
        }
        if (read == count) {
          throw lines.wrong(format("the header promises %,d words, and more follow", count));
        }
        int end = numbers();
        read++;
        if (words.add(lines.buffer(), lines.from(), end)) {
          long at = (words.size() - 1L) * dimension * Float.BYTES;
          MemorySegment.copy(row, 0, data, Rows.FLOAT, at, dimension);
        }
      }
      if (read < count) {
        throw new FormatException(
            lines.path(),
            lines.size(),
            format(
                "the file ends after %,d words, and %,d were promised: it is cut short, perhaps by"
                    + " a download",
                read, count));
      }
      Rows rows = new Rows(data, null, words.size(), dimension);
      return new Content(words, rows, null, count - words.size(), arena);
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  /** Reads the line's numbers from its end; returns where its word ends. */
  private int numbers() throws IOException {
    byte[] text = lines.buffer();
    int end = back(text, lines.to(), true);
    for (int i = dimension - 1; i >= 0; i--) {
      int start = back(text, end, false);
      if (start == lines.from() || !decimal.parse(text, start, end)) {
        throw fewer(dimension - 1 - i, text, start, end);
      }
      row[i] = decimal.value();
      end = back(text, start, true);
      if (end == lines.from()) {
        throw fewer(dimension - 1 - i, text, start, start);
      }
    }
    if (header != null) {
      int start = back(text, end, false);
      if (start > lines.from() && decimal.parse(text, start, end)) {
        throw lines.wrong(format("more than the %d numbers that the header promises", dimension));
      }
    }
    return end;
  }

  /** Where separators, or what is none, begin before {@code end}. */
  private int back(byte[] text, int end, boolean separators) {
    int at = end;
    while (at > lines.from() && isSeparator(text[at - 1]) == separators) {
      at--;
    }
    return at;
  }

  private FormatException fewer(int numbers, byte[] text, int start, int end) throws IOException {
    int shown = Math.min(end, start + 40);
    String piece = new String(text, start, shown - start, StandardCharsets.UTF_8);
    if (pieces(lines) > dimension) {
      return lines.wrong(format("'%s' is no number", piece));
    }
    return lines.wrong(
        format(
            "%d numbers after a word are expected, and %d end it%s%s",
            dimension,
            numbers,
            piece.isEmpty() ? "" : ", after '" + piece + "'",
            lines.isLast() ? "; the file ends here: it is cut short, perhaps by a download" : ""));
  }
}
