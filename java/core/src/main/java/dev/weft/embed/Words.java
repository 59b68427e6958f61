// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static dev.weft.format.Format.format;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Distinct words by number: their bytes one behind the other, and a table with open addressing. A
 * word is its bytes: two that are not UTF-8 differ, though both may read as the same replacements.
 */
final class Words {
  private static final int MOST_BYTES = Integer.MAX_VALUE - 16;

  private byte[] bytes;
  private int[] ends; // of word i; it begins where the one before ends
  private int[] table; // number + 1, or 0
  private int size;

  /** Of none, with room for about {@code expected}. */
  Words(int expected) {
    int room = Math.clamp(expected, 8, 1 << 20);
    bytes = new byte[8 * room];
    ends = new int[room];
    table = new int[Integer.highestOneBit(room) * 4];
  }

  int size() {
    return size;
  }

  /** Adds a word behind the others; returns false, and adds nothing, where it is there already. */
  boolean add(byte[] word, int from, int to) {
    int at = slot(word, from, to);
    if (table[at] != 0) {
      return false;
    }
    int start = size == 0 ? 0 : ends[size - 1];
    if (to - from > MOST_BYTES - start) {
      throw new IllegalArgumentException(
          format("the words take more than %,d bytes, which is the most", MOST_BYTES));
    }
    bytes = grown(bytes, start + to - from);
    System.arraycopy(word, from, bytes, start, to - from);
    if (size == ends.length) {
      ends = Arrays.copyOf(ends, (int) Math.min(MOST_BYTES, size * 2L));
    }
    ends[size++] = start + to - from;
    table[at] = size;
    if (size > table.length / 4 * 3 && table.length < 1 << 30) {
      rehash();
    }
    return true;
  }

  boolean add(String word) {
    byte[] utf8 = word.getBytes(StandardCharsets.UTF_8);
    return add(utf8, 0, utf8.length);
  }

  /** The number of a word, or -1. */
  int indexOf(String word) {
    byte[] utf8 = word.getBytes(StandardCharsets.UTF_8);
    return table[slot(utf8, 0, utf8.length)] - 1;
  }

  /** The word, with replacements where it is not UTF-8. */
  String word(int i) {
    return StandardCharsets.UTF_8.decode(buffer(i)).toString();
  }

  /** Its bytes, not to be written to. */
  ByteBuffer buffer(int i) {
    int start = start(i);
    return ByteBuffer.wrap(bytes, start, ends[i] - start).slice();
  }

  int length(int i) {
    return ends[i] - start(i);
  }

  boolean isUtf8(int i) {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(buffer(i));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  /** How many are not UTF-8. */
  int notUtf8() {
    int count = 0;
    for (int i = 0; i < size; i++) {
      if (!isAscii(i) && !isUtf8(i)) {
        count++;
      }
    }
    return count;
  }

  private boolean isAscii(int i) {
    for (int at = start(i); at < ends[i]; at++) {
      if (bytes[at] < 0) {
        return false;
      }
    }
    return true;
  }

  private int start(int i) {
    return i == 0 ? 0 : ends[i - 1];
  }

  private static byte[] grown(byte[] array, int needed) {
    return needed <= array.length
        ? array
        : Arrays.copyOf(array, (int) Math.min(MOST_BYTES, Math.max(needed, array.length * 2L)));
  }

  /** Where a word is in the table, or would be. */
  private int slot(byte[] word, int from, int to) {
    int hash = 0;
    for (int i = from; i < to; i++) {
      hash = hash * 31 + word[i];
    }
    int mask = table.length - 1;
    int at = spread(hash) & mask;
    while (table[at] != 0) {
      int i = table[at] - 1;
      if (Arrays.equals(bytes, start(i), ends[i], word, from, to)) {
        return at;
      }
      at = (at + 1) & mask;
    }
    return at;
  }

  private static int spread(int hash) {
    int mixed = hash * 0x9E3779B9;
    return mixed ^ (mixed >>> 15);
  }

  private void rehash() {
    table = new int[table.length * 2];
    for (int i = 0; i < size; i++) {
      table[slot(bytes, start(i), ends[i])] = i + 1;
    }
  }

  /**
   * Whether two words are one slip apart: a byte replaced, left out or put in, or two neighbours
   * swapped.
   */
  static boolean areClose(ByteBuffer a, ByteBuffer b) {
    int gap = a.limit() - b.limit();
    if (gap < 0) {
      return areClose(b, a);
    }
    int same = Math.max(0, a.mismatch(b));
    if (gap > 1) {
      return false;
    }
    if (gap == 1) {
      return rest(a, same + 1).equals(rest(b, same));
    }
    boolean replaced = rest(a, same + 1).equals(rest(b, same + 1));
    return replaced
        || same + 1 < a.limit()
            && a.get(same) == b.get(same + 1)
            && a.get(same + 1) == b.get(same)
            && rest(a, same + 2).equals(rest(b, same + 2));
  }

  private static ByteBuffer rest(ByteBuffer word, int from) {
    int start = Math.min(from, word.limit());
    return word.slice(start, word.limit() - start);
  }
}
