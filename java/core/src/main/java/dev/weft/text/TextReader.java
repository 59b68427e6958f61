// SPDX-License-Identifier: Apache-2.0
package dev.weft.text;

import static dev.weft.format.Format.count;
import static dev.weft.format.Format.format;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How a text is read into a {@link Corpus}: what a sentence and a word is, and which words count.
 *
 * <p>The text is UTF-8, packed by gzip or not, which its first bytes tell; a byte order mark at its
 * start is no part of it. It is read once, by two threads, in memory that grows with the number of
 * different words only: one line may be the whole text.
 *
 * <p>Words are separated by white space and control characters, U+0000 to U+0020, and by what
 * Unicode calls white space, as U+0085, U+00A0 and U+3000: other tools that read a file of vectors
 * would take a word that holds one for two. Bytes that are not UTF-8 become U+FFFD. A word longer
 * than {@link #longestWord} is left out, never cut. All of that is counted, in {@link
 * Corpus.Report}.
 *
 * {@snippet file="Examples.java" region="corpus"}
 *
 * @param sentences what ends a sentence
 * @param letters whether words become lower-case
 * @param normalization the form of Unicode that words are brought to
 * @param spaces which characters separate words
 * @param longestWord bytes of UTF-8, of a word in the text and in the form that it is brought to; a
 *     longer word is left out
 * @param minCount words that occur fewer times are left out
 * @param maxVocabulary the most words in the vocabulary, the most frequent
 * @param countedTypes the most different words that are counted at a time: where there are more,
 *     the rarest so far are forgotten, as word2vec.c does, with their places in the text, and their
 *     counts begin anew where they come again; a million of them take about 90 MB
 * @param vocabulary words that are kept, however rare they are; null where none is given
 * @param newWords whether words that are not in the vocabulary are kept as well, as far as the
 *     limits on words let them
 * @param folder where the temporary file of token ids is put, 4 bytes a word
 */
public record TextReader(
    Sentences sentences,
    Letters letters,
    Normalization normalization,
    Spaces spaces,
    int longestWord,
    long minCount,
    int maxVocabulary,
    int countedTypes,
    @Nullable Vocabulary vocabulary,
    NewWords newWords,
    Path folder) {

  /** What ends a sentence. */
  public enum Sentences {
    /** Each line is a sentence. */
    LINES,
    /** Nothing does: the text is one stream of words, whatever its lines. */
    NONE
  }

  /** Whether words become lower-case. */
  public enum Letters {
    /** Words stay as they are written. */
    AS_WRITTEN,
    /** Words become lower-case, by Unicode's rules that hold in every language. */
    LOWER_CASE
  }

  /** The form of Unicode that words are brought to. */
  public enum Normalization {
    /** Words stay as they are written. */
    NONE(null),
    /** Composed characters: e and a combining acute accent become é. */
    NFC(Normalizer.Form.NFC),
    /** Composed characters without differences of typography: ﬁ becomes fi, ２ becomes 2. */
    NFKC(Normalizer.Form.NFKC);

    final Normalizer.@Nullable Form form;

    Normalization(Normalizer.@Nullable Form form) {
      this.form = form;
    }

    String of(String text) {
      return form == null ? text : Normalizer.normalize(text, form);
    }
  }

  /** What becomes of words that are not in the vocabulary that is given. */
  public enum NewWords {
    /** The vocabulary becomes longer by them. */
    ADDED,
    /** Their places in the text are left out. */
    LEFT_OUT
  }

  /** Which characters separate words. */
  public enum Spaces {
    /** U+0000 to U+0020 and the white space of Unicode. */
    UNICODE,
    /** U+0000 to U+0020 alone; a no-break space is a character of its word. */
    ASCII
  }

  /**
   * Checks the settings.
   *
   * @throws IllegalArgumentException where a number is out of its range, or a vocabulary is given
   *     and a limit on words as well
   */
  public TextReader {
    check("the longest word, in bytes,", longestWord, 8, 1 << 16);
    check("the least count", minCount, 1, Long.MAX_VALUE);
    check("the largest vocabulary", maxVocabulary, 1, Integer.MAX_VALUE);
    check("the most different words", countedTypes, 4, 1 << 28);
    if (newWords == NewWords.LEFT_OUT && vocabulary == null) {
      throw new IllegalArgumentException(
          "no vocabulary is given, and words that are not in one are left out: none is kept");
    }
    if (newWords == NewWords.LEFT_OUT && (minCount > 1 || maxVocabulary < Integer.MAX_VALUE)) {
      throw new IllegalArgumentException(
          "a vocabulary is given, so all its words are kept: a least count or a largest"
              + " vocabulary has no effect beside it");
    }
  }

  private static void check(String what, long value, long least, long most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          format("%s must be %,d to %,d, not %,d", what, least, most, value));
    }
  }

  private static TextReader of(Sentences sentences) {
    return new TextReader(
        sentences,
        Letters.AS_WRITTEN,
        Normalization.NONE,
        Spaces.UNICODE,
        200,
        1,
        Integer.MAX_VALUE,
        20_000_000,
        null,
        NewWords.ADDED,
        Path.of(System.getProperty("java.io.tmpdir")));
  }

  /** A reader of a text that has a sentence a line; all words count. */
  public static TextReader lines() {
    return of(Sentences.LINES);
  }

  /** A reader of a text without sentences, one stream of words as text8; all words count. */
  public static TextReader stream() {
    return of(Sentences.NONE);
  }

  /** The settings while one of them is changed. */
  private static final class Draft {
    Sentences sentences;
    Letters letters;
    Normalization normalization;
    Spaces spaces;
    int longestWord;
    long minCount;
    int maxVocabulary;
    int countedTypes;
    @Nullable Vocabulary vocabulary;
    NewWords newWords;
    Path folder;

    Draft(TextReader from) {
      sentences = from.sentences;
      letters = from.letters;
      normalization = from.normalization;
      spaces = from.spaces;
      longestWord = from.longestWord;
      minCount = from.minCount;
      maxVocabulary = from.maxVocabulary;
      countedTypes = from.countedTypes;
      vocabulary = from.vocabulary;
      newWords = from.newWords;
      folder = from.folder;
    }

    TextReader settings() {
      return new TextReader(
          sentences,
          letters,
          normalization,
          spaces,
          longestWord,
          minCount,
          maxVocabulary,
          countedTypes,
          vocabulary,
          newWords,
          folder);
    }
  }

  private TextReader with(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return draft.settings();
  }

  /** The same with words lower-case or as they are written. */
  public TextReader letters(Letters kept) {
    return with(draft -> draft.letters = kept);
  }

  /** The same with words in another form of Unicode. */
  public TextReader normalization(Normalization form) {
    return with(draft -> draft.normalization = form);
  }

  /** The same with other characters between words. */
  public TextReader spaces(Spaces separators) {
    return with(draft -> draft.spaces = separators);
  }

  /** The same with another length, in bytes, from which on words are left out. */
  public TextReader longestWord(int bytes) {
    return with(draft -> draft.longestWord = bytes);
  }

  /** The same without words that occur fewer times. */
  public TextReader minCount(long least) {
    return with(draft -> draft.minCount = least);
  }

  /** The same with so many words at most, the most frequent. */
  public TextReader maxVocabulary(int most) {
    return with(draft -> draft.maxVocabulary = most);
  }

  /** The same with another number of different words that are counted at a time. */
  public TextReader countedTypes(int most) {
    return with(draft -> draft.countedTypes = most);
  }

  /** The same with the words of a vocabulary, for another text or a part that is held out. */
  public TextReader vocabulary(Vocabulary words) {
    return with(
        draft -> {
          draft.vocabulary = words;
          draft.newWords = NewWords.LEFT_OUT;
        });
  }

  /**
   * The same with the words of a vocabulary and new ones of the text behind them: a word of the
   * vocabulary keeps its number, and its count grows by those of the text; a new word is added
   * where the text alone has it as often as {@link #minCount} says.
   */
  public TextReader extending(Vocabulary words) {
    return with(
        draft -> {
          draft.vocabulary = words;
          draft.newWords = NewWords.ADDED;
        });
  }

  /** The same with its temporary file elsewhere. */
  public TextReader folder(Path temporary) {
    return with(draft -> draft.folder = temporary);
  }

  /**
   * Reads a file.
   *
   * @throws IOException if the file cannot be read, is no text in UTF-8 or damaged, holds none of
   *     the words that are asked for, or if the disk is full
   */
  public Corpus read(Path text) throws IOException {
    try (TextBlocks blocks = TextBlocks.of(text)) {
      return read(blocks);
    }
  }

  /**
   * Reads a stream, as standard input, up to its end; it stays open. After a failure a thread may
   * still be reading it.
   *
   * @throws IOException as {@link #read(Path)} does
   */
  public Corpus read(InputStream text) throws IOException {
    try (TextBlocks blocks = TextBlocks.of(text)) {
      return read(blocks);
    }
  }

  private Corpus read(TextBlocks blocks) throws IOException {
    boolean adds = newWords == NewWords.ADDED;
    WordTable table =
        vocabulary == null
            ? new WordTable()
            : adds ? WordTable.extending(vocabulary) : WordTable.of(vocabulary);
    TokenFile tokens = new TokenFile(folder, blocks::share);
    try {
      TextParser parser = new TextParser(this, table, tokens);
      long bytes = parser.readAll(blocks);
      check(blocks, bytes, parser, table);
      long types = table.countedMoreThan(0, 0) + parser.forgotten();
      Vocabulary words = vocabulary;
      if (words == null || adds) {
        int given = table.given();
        int[] order = table.order();
        int room = Math.max(0, maxVocabulary - given);
        int most = given + Math.min(room, table.countedMoreThan(minCount - 1));
        for (int word = 0; words != null && word < given; word++) {
          table.setCount(word, Math.addExact(table.count(word), words.count(word)));
        }
        words = new Vocabulary(table, order, most);
        tokens.renumber(WordTable.places(order, most));
      }
      return new Corpus(
          words,
          this,
          tokens,
          new Corpus.Report(
              bytes,
              parser.words(),
              tokens.size() / Integer.BYTES - tokens.sentences(),
              types,
              tokens.sentences(),
              parser.replaced(),
              parser.tooLong(),
              parser.forgotten(),
              parser.forgottenCount()));
    } catch (Throwable failure) {
      tokens.close();
      throw failure;
    }
  }

  /** Checks that a text has a word that is kept. */
  private void check(TextBlocks text, long bytes, TextParser parser, WordTable table)
      throws IOException {
    int given = vocabulary == null ? 0 : vocabulary.size();
    boolean none =
        table.countedMoreThan(0, 0) == table.countedMoreThan(0, given)
            && table.countedMoreThan(minCount - 1, given) == 0;
    String why = "";
    if (bytes == 0) {
      why = "is empty";
    } else if (parser.words() == 0) {
      why = format("holds no word: its %s are white space", count(bytes, "byte"));
    } else if (parser.words() == parser.tooLong()) {
      why =
          format(
              "each of its %s is longer than %d bytes: give another longest word",
              count(parser.words(), "word"), longestWord);
    } else if (vocabulary != null && none) {
      why =
          format(
              "none of its %s is in the vocabulary of %s%s",
              count(parser.words(), "word"),
              count(vocabulary.size(), "word"),
              newWords == NewWords.LEFT_OUT
                  ? ""
                  : format(", and none occurs %s, the min-count", count(minCount, "time")));
    } else if (none) {
      Vocabulary most = new Vocabulary(table, table.byFallingCount(), 1);
      why =
          format(
              "no word occurs %s, the min-count; the most frequent, '%s', occurs %s",
              count(minCount, "time"), most.word(0), count(most.count(0), "time"));
    }
    if (!why.isEmpty()) {
      throw new FileSystemException(text.toString(), null, why);
    }
  }
}
