// SPDX-License-Identifier: Apache-2.0
package dev.weft.text;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Words and how often each was counted, numbered as they came. A word is found by its key: one of
 * at most 8 bytes is its own key, little-endian, which no other word has; a longer one has 56 bits
 * of hash under a byte 0xFF, which is in no UTF-8, and its bytes are compared.
 */
final class WordTable {
  static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private static final long FACTOR = 0x9E3779B97F4A7C15L;
  private static final long LONGER = 0xFFL << 56;
  private static final int LEAST_BITS = 10;
  private static final int MOST_BYTES = Integer.MAX_VALUE - 64;

  private long[] keys = {}; // 0 where a slot is free
  private int[] slots = {}; // the word of a key
  private int shift;
  private byte[] bytes = new byte[1 << 12];
  private int[] starts = new int[1 << 10]; // of a word's bytes; the next one's is its end
  private long[] counts = new long[1 << 10];
  private int size;
  private int given; // so many first words are never forgotten, and stay the first

  WordTable() {
    spread(LEAST_BITS);
  }

  /** Words with counts of 0. */
  static WordTable of(Vocabulary vocabulary) {
    WordTable table = new WordTable();
    for (int id = 0; id < vocabulary.size(); id++) {
      byte[] word = vocabulary.bytes(id);
      table.add(key(word, 0, word.length), word, 0, word.length);
    }
    return table;
  }

  /** The same, to which words are added: those that are given are kept, however rare. */
  static WordTable extending(Vocabulary vocabulary) {
    WordTable table = of(vocabulary);
    table.given = table.size;
    return table;
  }

  int size() {
    return size;
  }

  /** The words that were given. */
  int given() {
    return given;
  }

  long count(int word) {
    return counts[word];
  }

  void increment(int word) {
    counts[word]++;
  }

  void setCount(int word, long count) {
    counts[word] = count;
  }

  /** The bytes of all words, one behind another. */
  byte[] bytes() {
    return bytes;
  }

  int start(int word) {
    return starts[word];
  }

  /** If a word of so many bytes has room. */
  boolean hasRoom(int length) {
    return starts[size] < MOST_BYTES - length;
  }

  /** Mixes 8 more bytes into the hash of a word of more than 8. */
  static long mix(long hash, long eight) {
    long mixed = (hash ^ eight) * FACTOR;
    return mixed ^ (mixed >>> 32);
  }

  /** The key of a word of more than 8 bytes, by its hash. */
  static long longer(long hash) {
    return hash | LONGER;
  }

  static boolean isLonger(long key) {
    return key >>> 56 == 0xFF;
  }

  /** The lowest bytes of 8; of 1 to 8. */
  static long lowest(long eight, int count) {
    return eight & (-1L >>> (64 - 8 * count));
  }

  static long key(byte[] from, int start, int length) {
    if (length <= 8) {
      return some(from, start, length);
    }
    long hash = 0;
    int at = 0;
    for (; length - at > 8; at += 8) {
      hash = mix(hash, (long) LONG.get(from, start + at));
    }
    return longer(mix(hash, some(from, start + at, length - at)));
  }

  /** Some bytes, 1 to 8, little-endian. */
  private static long some(byte[] from, int start, int count) {
    if (start + 8 <= from.length) {
      return lowest((long) LONG.get(from, start), count);
    }
    long value = 0;
    for (int i = count - 1; i >= 0; i--) {
      value = value << 8 | (from[start + i] & 0xFF);
    }
    return value;
  }

  private int slot(long key) {
    return (int) ((key ^ (key >>> 29)) * FACTOR >>> shift);
  }

  /** The word of a key that is no hash; -1 where there is none. */
  int find(long key) {
    int slot = slot(key);
    while (true) {
      long found = keys[slot];
      if (found == key) {
        return slots[slot];
      }
      if (found == 0) {
        return -1;
      }
      slot = (slot + 1) & (keys.length - 1);
    }
  }

  /** The word of these bytes; -1 where there is none. */
  int find(long key, byte[] from, int start, int length) {
    if (!isLonger(key)) {
      return find(key);
    }
    for (int slot = slot(key); keys[slot] != 0; slot = (slot + 1) & (keys.length - 1)) {
      int word = slots[slot];
      if (keys[slot] == key
          && Arrays.equals(bytes, starts[word], starts[word + 1], from, start, start + length)) {
        return word;
      }
    }
    return -1;
  }

  /** Adds a word that is not in it. */
  int add(long key, byte[] from, int start, int length) {
    if (size + 2 > counts.length) {
      int capacity = Math.max(size + 2, (int) Math.min(MOST_BYTES, size * 3L / 2));
      counts = Arrays.copyOf(counts, capacity);
      starts = Arrays.copyOf(starts, capacity);
    }
    int end = starts[size] + length;
    if (end > bytes.length) {
      bytes = Arrays.copyOf(bytes, (int) Math.min(MOST_BYTES, Math.max(end, end * 3L / 2)));
    }
    System.arraycopy(from, start, bytes, starts[size], length);
    counts[size] = 0;
    starts[size + 1] = end;
    // at most 5/8 full: 20 million words in 2^25 slots
    if (size >= keys.length / 8 * 5) {
      spread(Integer.numberOfTrailingZeros(keys.length) + 1);
    }
    put(key, size);
    return size++;
  }

  private void put(long key, int word) {
    int slot = slot(key);
    while (keys[slot] != 0) {
      slot = (slot + 1) & (keys.length - 1);
    }
    keys[slot] = key;
    slots[slot] = word;
  }

  private void spread(int bits) {
    long[] oldKeys = keys;
    int[] oldSlots = slots;
    keys = new long[1 << bits];
    slots = new int[1 << bits];
    shift = 64 - bits;
    for (int i = 0; i < oldKeys.length; i++) {
      if (oldKeys[i] != 0) {
        put(oldKeys[i], oldSlots[i]);
      }
    }
  }

  /** The words that were counted more often, but for those that are given. */
  int countedMoreThan(long most) {
    return countedMoreThan(most, given);
  }

  int countedMoreThan(long most, int first) {
    int more = 0;
    for (int word = first; word < size; word++) {
      more += counts[word] > most ? 1 : 0;
    }
    return more;
  }

  /** A count higher than the last one, up to which to forget, so that few enough words are left. */
  long countToForget(long last, int left) {
    long count = last + 1;
    while (countedMoreThan(count) > left) {
      count++;
    }
    return count;
  }

  /**
   * Forgets all words that are not given and were counted at most so often; the new number of each
   * old one, or -1.
   */
  int[] forget(long most) {
    int[] numbers = new int[size];
    int kept = 0;
    for (int word = 0; word < size; word++) {
      boolean keep = word < given || counts[word] > most;
      numbers[word] = keep ? kept : -1;
      if (keep) {
        int length = starts[word + 1] - starts[word];
        System.arraycopy(bytes, starts[word], bytes, starts[kept], length);
        counts[kept] = counts[word];
        starts[++kept] = starts[kept - 1] + length;
      }
    }
    size = kept;
    Arrays.fill(keys, 0);
    for (int word = 0; word < size; word++) {
      put(key(bytes, starts[word], starts[word + 1] - starts[word]), word);
    }
    return numbers;
  }

  /** For each word its place among the first in an order, or -1. */
  static int[] places(int[] order, int first) {
    int[] places = new int[order.length];
    for (int i = 0; i < order.length; i++) {
      places[order[i]] = i < first ? i : -1;
    }
    return places;
  }

  /** The words that are given, and the others by falling count, of equal counts as they came. */
  int[] order() {
    int[] order = byFallingCount();
    if (given > 0) {
      IntStream others = IntStream.of(order).filter(word -> word >= given);
      order = IntStream.concat(IntStream.range(0, given), others).toArray();
    }
    return order;
  }

  /** All words by falling count, of equal counts as they came: by digits of 11 bits. */
  int[] byFallingCount() {
    long largest = 0;
    for (int word = 0; word < size; word++) {
      largest = Math.max(largest, counts[word]);
    }
    int[] order = new int[size];
    int[] next = new int[size];
    for (int word = 0; word < size; word++) {
      order[word] = word;
    }
    int digits = 1 << 11;
    for (int bit = 0; bit < 63 && largest >>> bit > 0; bit += 11) {
      int[] places = new int[digits + 1];
      for (int word : order) {
        places[digits - (int) (counts[word] >>> bit & (digits - 1))]++;
      }
      for (int digit = 0; digit < digits; digit++) {
        places[digit + 1] += places[digit];
      }
      for (int word : order) {
        int digit = (int) (counts[word] >>> bit & (digits - 1));
        next[places[digits - 1 - digit]++] = word;
      }
      int[] done = order;
      order = next;
      next = done;
    }
    return order;
  }
}
