// SPDX-License-Identifier: Apache-2.0
package dev.weft.text;

import static dev.weft.format.Format.format;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * Joins words that stand side by side more often than by chance, as {@code new_york} (Mikolov et
 * al. 2013, word2phrase). Words a and b, one behind the other in a sentence of a corpus of n words,
 * become one where
 *
 * <pre>
 *   (count(a b) - discount) / (count(a) count(b)) n &gt; threshold
 * </pre>
 *
 * <p>from left to right, so that of three words that would be joined in pairs the first two are. A
 * phrase is a word in the next pass, and joined to others there. Words that the corpus left out
 * stand between no others: a corpus of all words, with a least count of 1, has the neighbours of
 * the text.
 *
 * @param threshold the score above which words are joined
 * @param discount the count that is taken off a pair's, so that no rare words are joined
 * @param passes how many times pairs are joined
 * @param countedPairs the most different pairs that are counted at a time; where there are more,
 *     the rarest so far are forgotten, and their counts begin anew where they come again; a million
 *     of them take about 50 MB
 * @param folder where temporary files of token ids are put
 */
public record Phrases(double threshold, long discount, int passes, int countedPairs, Path folder) {
  private static final int LONGEST = 1 << 16; // bytes of a phrase, for who reads it again

  /**
   * Checks the settings.
   *
   * @throws IllegalArgumentException where a number is out of its range
   */
  public Phrases {
    if (!(threshold >= 0)) {
      throw new IllegalArgumentException(
          format("a threshold of phrases is 0 or more, not %s", threshold));
    }
    if (discount < 0) {
      throw new IllegalArgumentException(
          format("a discount of phrases is 0 or more, not %d", discount));
    }
    if (passes < 1) {
      throw new IllegalArgumentException(
          format("phrases are joined in at least 1 pass, not %d", passes));
    }
    if (countedPairs < 4) {
      throw new IllegalArgumentException(
          format("of pairs at least 4 must be counted, not %d", countedPairs));
    }
  }

  /** Phrases of a score above a threshold, 100 in word2phrase: a discount of 5, one pass. */
  public static Phrases threshold(double threshold) {
    return new Phrases(threshold, 5, 1, 20_000_000, TextReader.lines().folder());
  }

  /** The same with another discount. */
  public Phrases discount(long count) {
    return new Phrases(threshold, count, passes, countedPairs, folder);
  }

  /** The same with another number of passes. */
  public Phrases passes(int times) {
    return new Phrases(threshold, discount, times, countedPairs, folder);
  }

  /** The same with another number of pairs that are counted at a time. */
  public Phrases countedPairs(int most) {
    return new Phrases(threshold, discount, passes, most, folder);
  }

  /** The same with its temporary files elsewhere. */
  public Phrases folder(Path temporary) {
    return new Phrases(threshold, discount, passes, countedPairs, temporary);
  }

  /**
   * Joins the phrases of a corpus; the corpus stays as it is, and open.
   *
   * @throws IOException if the disk is full
   */
  public Corpus join(Corpus corpus) throws IOException {
    Corpus joined = pass(corpus);
    for (int i = 1; i < passes; i++) {
      try (Corpus last = joined) {
        joined = pass(last);
      }
    }
    return joined;
  }

  private Corpus pass(Corpus corpus) throws IOException {
    WordTable words = WordTable.of(corpus.vocabulary());
    WordTable pairs = countPairs(corpus.tokens(), words);
    int[] phrases = phrases(words, pairs);
    TokenFile tokens = new TokenFile(folder, () -> 0);
    try {
      write(corpus.tokens(), pairs, phrases, words, tokens);
      int[] order = words.byFallingCount();
      int size = words.countedMoreThan(0);
      tokens.renumber(WordTable.places(order, size));
      Corpus.Report text = corpus.report();
      return new Corpus(
          new Vocabulary(words, order, size),
          corpus.reader().longestWord(LONGEST),
          tokens,
          new Corpus.Report(
              text.bytes(),
              text.words(),
              tokens.size() / Integer.BYTES - tokens.sentences(),
              size,
              tokens.sentences(),
              text.replaced(),
              text.tooLong(),
              text.forgotten(),
              text.forgottenCount()));
    } catch (Throwable failure) {
      tokens.close();
      throw failure;
    }
  }

  /** Two words as the key of a word of 8 bytes. */
  private static long key(int first, int second) {
    return (first + 1L) << 32 | (second + 1L);
  }

  /** Counts words, and pairs as words of 8 bytes. */
  private WordTable countPairs(MemorySegment tokens, WordTable words) {
    WordTable pairs = new WordTable();
    byte[] bytes = new byte[Long.BYTES];
    long forgotten = 0;
    int last = Corpus.END;
    for (long at = 0; at < tokens.byteSize(); at += Integer.BYTES) {
      int id = tokens.get(ValueLayout.JAVA_INT, at);
      if (id >= 0) {
        words.increment(id);
      }
      if (id >= 0 && last >= 0) {
        long key = key(last, id);
        int pair = pairs.find(key);
        if (pair < 0) {
          while (pairs.size() >= countedPairs || !pairs.hasRoom(bytes.length)) {
            forgotten = pairs.countToForget(forgotten, countedPairs / 4 * 3);
            pairs.forget(forgotten);
          }
          WordTable.LONG.set(bytes, 0, key);
          pair = pairs.add(key, bytes, 0, bytes.length);
        }
        pairs.increment(pair);
      }
      last = id;
    }
    return pairs;
  }

  /**
   * Adds phrases to the words, and sets all counts to 0; for each pair the word that it becomes, or
   * -1.
   */
  private int[] phrases(WordTable words, WordTable pairs) {
    int[] phrases = new int[pairs.size()];
    int single = words.size();
    long total = 0;
    for (int word = 0; word < single; word++) {
      total += words.count(word);
    }
    for (int pair = 0; pair < phrases.length; pair++) {
      long key = (long) WordTable.LONG.get(pairs.bytes(), pairs.start(pair));
      int first = (int) (key >>> 32) - 1;
      int second = (int) key - 1;
      double score =
          ((double) pairs.count(pair) - discount)
              / words.count(first)
              / words.count(second)
              * total;
      phrases[pair] = score > threshold ? add(words, first, second) : -1;
    }
    for (int word = 0; word < words.size(); word++) {
      words.setCount(word, 0);
    }
    return phrases;
  }

  /** The word that two joined ones are, which may be there already. */
  private static int add(WordTable words, int first, int second) {
    ByteArrayOutputStream joined = new ByteArrayOutputStream();
    joined.write(words.bytes(), words.start(first), words.start(first + 1) - words.start(first));
    joined.write('_');
    joined.write(words.bytes(), words.start(second), words.start(second + 1) - words.start(second));
    byte[] bytes = joined.toByteArray();
    long key = WordTable.key(bytes, 0, bytes.length);
    int word = words.find(key, bytes, 0, bytes.length);
    return word >= 0 ? word : words.add(key, bytes, 0, bytes.length);
  }

  private static void write(
      MemorySegment from, WordTable pairs, int[] phrases, WordTable words, TokenFile to)
      throws IOException {
    int last = Corpus.END; // not written yet
    for (long at = 0; at < from.byteSize(); at += Integer.BYTES) {
      int id = from.get(ValueLayout.JAVA_INT, at);
      int pair = id >= 0 && last >= 0 ? pairs.find(key(last, id)) : -1;
      if (pair >= 0 && phrases[pair] >= 0) {
        write(phrases[pair], words, to);
        last = Corpus.END;
      } else {
        write(last, words, to);
        if (id == Corpus.END) {
          to.end();
        }
        last = id;
      }
    }
    write(last, words, to);
  }

  private static void write(int id, WordTable words, TokenFile to) throws IOException {
    if (id >= 0) {
      words.increment(id);
      to.add(id);
    }
  }
}
