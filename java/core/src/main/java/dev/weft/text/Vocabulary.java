// SPDX-License-Identifier: Apache-2.0
package dev.weft.text;

import static dev.weft.format.Format.format;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weft.format.Format;
import dev.weft.io.AtomicFile;
import dev.weft.io.FormatException;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * Words with their counts in a text, numbered by falling count; of equal counts, as they came
 * first. One that extends another ({@link TextReader#extending}) has that one's words first, with
 * their numbers, and the new ones by falling count behind them. It takes the bytes of its words and
 * 20 to 28 more a word.
 */
public final class Vocabulary {
  private static final String WORD2VEC_END = "</s>";
  private static final int BUFFER = 1 << 16;
  private static final int LONGEST = 1 << 16; // bytes of a word
  private static final String TOO_MANY = "the counts of its words add up to more than 2^63";

  private final byte[] bytes; // UTF-8, one word behind another
  private final int[] starts; // size + 1
  private final long[] counts;
  private final long total;
  private final int[] slots; // id + 1 by hash, 0 where free

  /** The first words of a table in an order. */
  Vocabulary(WordTable table, int[] order, int size) {
    starts = new int[size + 1];
    counts = new long[size];
    long sum = 0;
    for (int id = 0; id < size; id++) {
      int word = order[id];
      starts[id + 1] = starts[id] + table.start(word + 1) - table.start(word);
      counts[id] = table.count(word);
      sum = Math.addExact(sum, counts[id]);
    }
    total = sum;
    bytes = new byte[starts[size]];
    slots = new int[Integer.highestOneBit(size) * 4];
    for (int id = 0; id < size; id++) {
      int length = starts[id + 1] - starts[id];
      System.arraycopy(table.bytes(), table.start(order[id]), bytes, starts[id], length);
      int slot = slot(bytes, starts[id], length);
      while (slots[slot] != 0) {
        slot = next(slot);
      }
      slots[slot] = id + 1;
    }
  }

  /**
   * Words with counts; of equal counts, in the map's order.
   *
   * @throws IllegalArgumentException as {@link #of(List, long...)} does
   */
  public static Vocabulary of(Map<String, Long> counts) {
    return of(
        List.copyOf(counts.keySet()),
        counts.values().stream().mapToLong(Long::longValue).toArray());
  }

  /**
   * Words with counts; all counts are 0 where none is known, and the words in the list's order.
   *
   * @throws IllegalArgumentException if there is no word or another number of counts, a word comes
   *     twice, is empty, holds white space or a control character of ASCII or is no text, a count
   *     is negative, or their sum is more than a long holds
   */
  public static Vocabulary of(List<String> words, long... counts) {
    return of(table(words, counts));
  }

  /**
   * Words with counts, numbered as in the list.
   *
   * @throws IllegalArgumentException as {@link #of(List, long...)} does
   */
  public static Vocabulary inOrder(List<String> words, long... counts) {
    WordTable table = table(words, counts);
    return new Vocabulary(table, IntStream.range(0, table.size()).toArray(), table.size());
  }

  private static WordTable table(List<String> words, long... counts) {
    if (words.isEmpty() || words.size() != counts.length) {
      throw new IllegalArgumentException(
          format(
              "a vocabulary of %s with %s",
              Format.count(words.size(), "word"), Format.count(counts.length, "count")));
    }
    WordTable table = new WordTable();
    for (int i = 0; i < counts.length; i++) {
      String word = words.get(i);
      byte[] bytes = word.getBytes(UTF_8);
      String wrong =
          new String(bytes, UTF_8).equals(word)
              ? add(table, bytes, 0, bytes.length, counts[i])
              : "is no text: half of a character of UTF-16 is missing";
      if (!wrong.isEmpty()) {
        throw new IllegalArgumentException(
            format("word %d of a vocabulary, '%s', %s", i, word, wrong));
      }
    }
    try {
      Arrays.stream(counts).reduce(0, Math::addExact);
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(TOO_MANY, e);
    }
    return table;
  }

  private static Vocabulary of(WordTable table) {
    return new Vocabulary(table, table.byFallingCount(), table.size());
  }

  /** Adds a word; what is wrong with it, or nothing. */
  private static String add(WordTable table, byte[] from, int start, int length, long count) {
    for (int i = start; i < start + length; i++) {
      if (from[i] >= 0 && from[i] <= ' ') {
        return "holds white space or a control character, which separate words";
      }
    }
    if (length == 0 || length > LONGEST) {
      return length == 0 ? "is empty" : format("is longer than %,d bytes", LONGEST);
    }
    if (count < 0) {
      return format("has a count of %d", count);
    }
    long key = WordTable.key(from, start, length);
    if (table.find(key, from, start, length) >= 0) {
      return "is there twice";
    }
    table.setCount(table.add(key, from, start, length), count);
    return "";
  }

  /**
   * Reads the file that {@code word2vec -save-vocab} and {@link #write} make: a word and its count
   * a line, in any order. A first line {@code </s>} with a count, word2vec.c's end of a sentence,
   * is no word and is left out. A file of words alone, one a line, keeps its order; their counts
   * are 0.
   *
   * @throws FormatException where a line is none of these, is not UTF-8, or its word was there
   *     before; the message names it. Where the sum of all counts is more than a long holds
   * @throws IOException if the file cannot be read
   */
  public static Vocabulary read(Path path) throws IOException {
    WordTable table = new WordTable();
    try (InputStream in = new BufferedInputStream(Files.newInputStream(path), BUFFER)) {
      byte[] line = new byte[LONGEST + 32];
      int fields = 0; // of the first line
      long offset = 0;
      for (long number = 1; ; number++) {
        int length = 0;
        int next = in.read();
        if (next < 0) {
          break;
        }
        for (; next >= 0 && next != '\n' && length < line.length; next = in.read()) {
          line[length++] = (byte) next;
        }
        String wrong = "is longer than a word and a count";
        if (next < 0 || next == '\n') {
          int end = length > 0 && line[length - 1] == '\r' ? length - 1 : length;
          fields = fields == 0 ? fields(line, end) : fields;
          wrong = add(table, line, end, fields, number == 1);
        }
        if (!wrong.isEmpty()) {
          throw new FormatException(path, offset, format("line %d: %s", number, wrong));
        }
        offset += length + 1;
      }
      if (table.size() == 0) {
        throw new FormatException(path, offset, "the file ends here and holds no word");
      }
      return of(table);
    } catch (ArithmeticException e) {
      throw new FormatException(path, 0, TOO_MANY, e);
    }
  }

  /** 2 where a line has a space or tab with something behind it, else 1. */
  private static int fields(byte[] line, int length) {
    int space = lastSpace(line, length);
    return space >= 0 && space < length - 1 ? 2 : 1;
  }

  private static int lastSpace(byte[] line, int length) {
    int at = length - 1;
    while (at >= 0 && line[at] != ' ' && line[at] != '\t') {
      at--;
    }
    return at;
  }

  /** Adds the word of a line; what is wrong with it, or nothing. */
  private static String add(WordTable table, byte[] line, int length, int fields, boolean first) {
    int end = fields == 2 ? lastSpace(line, length) : length;
    if (end < 0) {
      return "expected a word and its count, as line 1 has them";
    }
    long count = 0;
    if (fields == 2) {
      String digits = new String(line, end + 1, length - end - 1, UTF_8);
      if (!digits.matches("[0-9]{1,18}")) {
        return format("'%s' is no count of a word", digits);
      }
      count = Long.parseLong(digits);
    }
    try {
      String word = UTF_8.newDecoder().decode(ByteBuffer.wrap(line, 0, end)).toString();
      if (first && fields == 2 && word.equals(WORD2VEC_END)) {
        return "";
      }
      String wrong = add(table, line, 0, end, count);
      return wrong.isEmpty() ? "" : format("the word '%s' %s", word, wrong);
    } catch (CharacterCodingException e) {
      return "the word is not UTF-8";
    }
  }

  /**
   * Writes the file of {@code word2vec -save-vocab}, which word2vec.c reads, too: {@code </s> 0},
   * then a word and its count a line. Where no counts are known, words alone.
   *
   * @throws IOException if the file cannot be written; the old one is then as it was
   */
  public void write(Path path) throws IOException {
    AtomicFile.write(
        path,
        channel -> {
          OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), BUFFER);
          if (total > 0) {
            out.write((WORD2VEC_END + " 0\n").getBytes(UTF_8));
          }
          for (int id = 0; id < counts.length; id++) {
            out.write(bytes, starts[id], starts[id + 1] - starts[id]);
            out.write((total > 0 ? " " + counts[id] + "\n" : "\n").getBytes(UTF_8));
          }
          out.flush();
        });
  }

  /** The number of words. */
  public int size() {
    return counts.length;
  }

  /** The counts of all words, added up. */
  public long total() {
    return total;
  }

  /**
   * The word of an id.
   *
   * @throws IndexOutOfBoundsException if there is none
   */
  public String word(int id) {
    return new String(bytes(id), UTF_8);
  }

  /**
   * How often a word was counted.
   *
   * @throws IndexOutOfBoundsException if there is no word of this id
   */
  public long count(int id) {
    return counts[Objects.checkIndex(id, counts.length)];
  }

  /** The counts of all words, by id. */
  public long[] counts() {
    return counts.clone();
  }

  /** The id of a word; -1 where it is not in the vocabulary. */
  public int id(String word) {
    byte[] wanted = word.getBytes(UTF_8);
    for (int slot = slot(wanted, 0, wanted.length); slots[slot] != 0; slot = next(slot)) {
      int id = slots[slot] - 1;
      if (Arrays.equals(bytes, starts[id], starts[id + 1], wanted, 0, wanted.length)) {
        return id;
      }
    }
    return -1;
  }

  /** Whether the other has the same words with the same counts, numbered the same. */
  @Override
  public boolean equals(Object other) {
    return other instanceof Vocabulary words
        && Arrays.equals(bytes, words.bytes)
        && Arrays.equals(starts, words.starts)
        && Arrays.equals(counts, words.counts);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(bytes) + Arrays.hashCode(counts);
  }

  /** A word's UTF-8. */
  byte[] bytes(int id) {
    Objects.checkIndex(id, counts.length);
    return Arrays.copyOfRange(bytes, starts[id], starts[id + 1]);
  }

  private int slot(byte[] from, int start, int length) {
    long key = length == 0 ? 0 : WordTable.key(from, start, length);
    return (int) WordTable.mix(0, key) & (slots.length - 1);
  }

  private int next(int slot) {
    return (slot + 1) & (slots.length - 1);
  }
}
