// SPDX-License-Identifier: Apache-2.0
package dev.weft.text;

import dev.weft.text.TextReader.Letters;
import dev.weft.text.TextReader.NewWords;
import dev.weft.text.TextReader.Sentences;
import dev.weft.text.TextReader.Spaces;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Splits blocks of UTF-8 into words and counts them. A word of ASCII that lies within a block is
 * read 8 bytes at a time; all others, by character, into a buffer, which a block's end does not
 * disturb and which is never longer than the longest word.
 */
final class TextParser {
  private static final long HIGH_BITS = 0x8080808080808080L;
  private static final long EACH = 0x0101010101010101L;
  private static final byte[] REPLACEMENT = {(byte) 0xEF, (byte) 0xBF, (byte) 0xBD};

  private static final Pattern ASCII_SPACES = Pattern.compile("[\\x00-\\x20]+");
  private static final Pattern SPACES =
      Pattern.compile(
          "[\\x00-\\x20\\u0085\\u00A0\\u1680\\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000]+");

  private final TextReader settings;
  private final boolean lines;
  private final boolean lower;
  private final boolean adds; // words to the table
  private final WordTable table;
  private final TokenFile tokens;

  private long words;
  private long replaced;
  private long tooLong;
  private long forgotten; // types
  private long forgottenCount; // the highest count at which a type was forgotten

  // The word that is being read by character, and the character of which bytes are missing.
  private final byte[] word;
  private int length; // of the word; more than the longest is not kept
  private boolean foreign; // a byte of it is not ASCII
  private int character; // its bytes so far
  private int missing; // bytes of it
  private int least; // of the next byte of it
  private int most;

  TextParser(TextReader settings, WordTable table, TokenFile tokens) {
    this.settings = settings;
    this.table = table;
    this.tokens = tokens;
    lines = settings.sentences() == Sentences.LINES;
    lower = settings.letters() == Letters.LOWER_CASE;
    adds = settings.newWords() == NewWords.ADDED;
    word = new byte[settings.longestWord() + 8];
  }

  long words() {
    return words;
  }

  long replaced() {
    return replaced;
  }

  long tooLong() {
    return tooLong;
  }

  long forgotten() {
    return forgotten;
  }

  long forgottenCount() {
    return forgottenCount;
  }

  /** Reads a whole text; its bytes. */
  long readAll(TextBlocks blocks) throws IOException {
    long bytes = 0;
    TextBlocks.Block block;
    while ((block = blocks.next()) != null) {
      boolean marked = bytes == 0 && startsWithMark(block);
      read(block.bytes, marked ? 3 : 0, block.length);
      bytes += block.length;
    }
    end();
    return bytes;
  }

  /** Whether it starts with a byte order mark. */
  private static boolean startsWithMark(TextBlocks.Block block) {
    byte[] bytes = block.bytes;
    return block.length >= 3
        && bytes[0] == (byte) 0xEF
        && bytes[1] == (byte) 0xBB
        && bytes[2] == (byte) 0xBF;
  }

  /**
   * Reads a block.
   *
   * @param end where it ends; 8 bytes more may be read and changed
   */
  private void read(byte[] block, int start, int end) throws IOException {
    int at = length > 0 || missing > 0 ? readByCharacter(block, start, end) : start;
    while (at < end) {
      int first = block[at];
      if (first >= 0 && first <= ' ') {
        if (first == '\n' && lines) {
          tokens.end();
        }
        at++;
        continue;
      }
      at = readWord(block, at, end);
    }
  }

  /** Reads a word from its first byte on; the place behind it. */
  private int readWord(byte[] block, int start, int end) throws IOException {
    long eight = (long) WordTable.LONG.get(block, start);
    long ends = endsOrForeign(eight);
    int stop = start + (Long.numberOfTrailingZeros(ends) >>> 3); // 8 where there is none
    if (ends == 0) {
      do {
        if (stop >= end) {
          return readByCharacter(block, start, end);
        }
        ends = endsOrForeign((long) WordTable.LONG.get(block, stop));
        stop += Long.numberOfTrailingZeros(ends) >>> 3;
      } while (ends == 0);
    }
    if (stop >= end || block[stop] < 0) {
      return readByCharacter(block, start, end);
    }
    int count = stop - start;
    if (count > 8) {
      addWord(block, start, count);
      return stop;
    }
    long key = WordTable.lowest(lower ? lower(eight) : eight, count);
    int id = table.find(key);
    if (id < 0) {
      addWord(block, start, count);
    } else {
      words++;
      table.increment(id);
      tokens.add(id);
    }
    return stop;
  }

  /** The highest bit of the first byte that is no visible ASCII; of bytes behind it, any. */
  private static long endsOrForeign(long eight) {
    return ((eight - ('!' * EACH)) | eight) & HIGH_BITS;
  }

  /** 8 bytes, of which those before the first that is not ASCII are made lower-case. */
  private static long lower(long eight) {
    long fromA = eight + (0x80 - 'A') * EACH;
    long overZ = eight + (0x7F - 'Z') * EACH;
    return eight | (fromA & ~overZ & ~eight & HIGH_BITS) >>> 2;
  }

  /** Counts a word of ASCII, which is made lower-case where it lies. */
  private void addWord(byte[] from, int start, int count) throws IOException {
    if (lower) {
      for (int i = start; i < start + count; i++) {
        from[i] = (byte) (from[i] >= 'A' && from[i] <= 'Z' ? from[i] | 0x20 : from[i]);
      }
    }
    addAsIs(from, start, count);
  }

  /** Counts a word. */
  private void addAsIs(byte[] from, int start, int count) throws IOException {
    words++;
    if (count > settings.longestWord()) {
      tooLong++;
      return;
    }
    long key = WordTable.key(from, start, count);
    int id = table.find(key, from, start, count);
    if (id < 0) {
      if (!adds) {
        return;
      }
      while (table.size() - table.given() >= settings.countedTypes() || !table.hasRoom(count)) {
        forget();
      }
      id = table.add(key, from, start, count);
    }
    table.increment(id);
    tokens.add(id);
  }

  /**
   * Forgets the rarest types, with their places in the text, until a quarter is free. word2vec.c
   * forgets, at each such turn, all that were counted once more than at the turn before.
   */
  private void forget() throws IOException {
    int before = table.size();
    forgottenCount = table.countToForget(forgottenCount, settings.countedTypes() / 4 * 3);
    tokens.renumber(table.forget(forgottenCount));
    forgotten += before - table.size();
  }

  /** Reads until a word has ended or the block has; the place of what ended it, or the end. */
  private int readByCharacter(byte[] block, int start, int end) throws IOException {
    int at = start;
    while (at < end) {
      int next = block[at] & 0xFF;
      if (missing > 0) {
        if (next < least || next > most) {
          missing = 0; // and what the byte is by itself is seen in the next turn
          replace();
          continue;
        }
        at++;
        character = character << 8 | next;
        least = 0x80;
        most = 0xBF;
        if (--missing == 0 && !appendCharacter()) {
          endWord();
          return at;
        }
      } else if (next <= ' ') {
        endWord();
        return at;
      } else {
        at++;
        if (next < 0x80) {
          append(next);
        } else if (!begin(next)) {
          replace();
        }
      }
    }
    return at;
  }

  /** Begins a character of several bytes (Unicode, table 3-7); false where none begins so. */
  private boolean begin(int first) {
    character = first;
    missing = first < 0xC2 || first > 0xF4 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
    least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    return missing > 0;
  }

  /** Puts U+FFFD in the place of bytes that are no character. */
  private void replace() {
    replaced++;
    foreign = true;
    for (byte each : REPLACEMENT) {
      append(each);
    }
  }

  /** Appends the character that is whole; false where it separates words. */
  private boolean appendCharacter() {
    if (settings.spaces() == Spaces.UNICODE && isSpace(character)) {
      return false;
    }
    foreign = true;
    int bytes = character >>> 24 != 0 ? 4 : character >>> 16 != 0 ? 3 : 2;
    for (int shift = 8 * bytes - 8; shift >= 0; shift -= 8) {
      append(character >>> shift);
    }
    return true;
  }

  private void append(int value) {
    if (length <= settings.longestWord()) {
      word[length++] = (byte) value;
    }
  }

  /** Whether the bytes are those of a character beyond ASCII that Unicode calls white space. */
  private static boolean isSpace(int character) {
    return switch (character) {
      case 0xC285, 0xC2A0, 0xE19A80, 0xE280A8, 0xE280A9, 0xE280AF, 0xE2819F, 0xE38080 -> true;
      default -> character >= 0xE28080 && character <= 0xE2808A;
    };
  }

  private void endWord() throws IOException {
    int count = length;
    boolean changes = foreign && (lower || settings.normalization().form != null);
    length = 0;
    foreign = false;
    if (count > settings.longestWord()) {
      words++;
      tooLong++;
    } else if (changes) {
      addChanged(new String(word, 0, count, StandardCharsets.UTF_8));
    } else if (count > 0) {
      addWord(word, 0, count);
    }
  }

  /** Counts a word in the form that is asked for; it may fall into several (U+00A8 in NFKC). */
  private void addChanged(String text) throws IOException {
    String changed = settings.normalization().of(text);
    if (lower) {
      // once more: lower case may be another form
      changed = settings.normalization().of(changed.toLowerCase(Locale.ROOT));
    }
    Pattern separators = settings.spaces() == Spaces.UNICODE ? SPACES : ASCII_SPACES;
    for (String part : separators.split(changed)) {
      byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
      if (bytes.length > 0) {
        addAsIs(bytes, 0, bytes.length);
      }
    }
  }

  /** Ends the text. */
  private void end() throws IOException {
    if (missing > 0) {
      missing = 0;
      replace();
    }
    endWord();
    if (lines) {
      tokens.end();
    }
  }
}
