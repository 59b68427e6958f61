// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.Device;
import dev.weft.format.Format;
import dev.weft.io.FormatException;
import dev.weft.text.Corpus;
import dev.weft.text.HuffmanTree;
import dev.weft.text.TextReader;
import dev.weft.text.Vocabulary;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * All that a training of word vectors is made of, at one moment of it: what it needs to go on, and
 * what tells how likely a word is among others. With W the input matrix and C the output matrix,
 * {@link Word2Vec} says what they are for.
 *
 * <p>{@link Word2VecTraining#model} gives it, {@link #save} and {@link #read} keep it in a file.
 * {@link #predict} and {@link #near} tell how likely words are; a word whose vector is 0 or not
 * finite tells nothing. {@link #close} gives both matrices' memory back, also that of vectors which
 * lie in them.
 *
 * {@snippet file="Examples.java" region="predictions"}
 */
public final class Word2VecModel implements AutoCloseable {
  private final Word2Vec settings;
  private final Vocabulary vocabulary;
  private final MemorySegment input;
  private final MemorySegment output;
  private final @Nullable HuffmanTree tree;
  private final Position position;
  private final Arena arena;
  private volatile @Nullable WordProbabilities probabilities;

  /**
   * How far the training is, and in which text.
   *
   * @param tokens of all readings of the text that are done, ends of sentences among them
   * @param textTokens the tokens of one reading
   * @param checksum of them, which tells the text from others
   * @param reader that reads the text as it was read
   */
  record Position(long tokens, long textTokens, long checksum, TextReader reader) {}

  Word2VecModel(
      Word2Vec settings,
      Vocabulary vocabulary,
      MemorySegment input,
      MemorySegment output,
      @Nullable HuffmanTree tree,
      Position position,
      Arena arena) {
    this.settings = settings;
    this.vocabulary = vocabulary;
    this.input = input;
    this.output = output;
    this.tree = tree;
    this.position = position;
    this.arena = arena;
  }

  /**
   * Reads a file that {@link #save} wrote; the matrices stay in the file, mapped until it is
   * closed.
   *
   * @throws FormatException where the file is no such model, or cut short
   * @throws IOException where it cannot be read
   */
  public static Word2VecModel read(Path path) throws IOException {
    return Word2VecFile.read(path);
  }

  /**
   * Writes a safetensors file, which is whole or absent: F32 {@code vectors} (W) and {@code
   * contexts} (C), U8 {@code words}, one a line, I64 {@code counts} and, for the hierarchical
   * softmax, I32 {@code path_offsets}, I32 {@code path_nodes} and U8 {@code path_bits}; settings,
   * position and how the text was read are metadata. {@link Vectors#open} reads W from it.
   *
   * @throws IOException where it cannot be written; what was there is as it was
   */
  public void save(Path path) throws IOException {
    Word2VecFile.write(this, path);
  }

  /**
   * Goes on with the training where it was: with {@link Word2Vec#inOrder} and {@link
   * Word2Vec#deterministic} the bits are those of one that was never interrupted.
   *
   * @param device a CPU
   * @param corpus the same text, read by {@link #reader}; it stays open as long as the training
   * @throws IllegalArgumentException where it is another text, as one is of which types were
   *     forgotten, or the device is no CPU
   */
  public Word2VecTraining resume(Device device, Corpus corpus) {
    Word2VecTraining.check(device, corpus);
    if (corpus.size() != position.textTokens()
        || !corpus.vocabulary().equals(vocabulary)
        || corpus.checksum() != position.checksum()) {
      throw new IllegalArgumentException(
          format(
              "the text is another one than the training began with, which had %,d tokens of %s,"
                  + " this one %,d of %s%s; to train on another text, extend the model by it",
              position.textTokens(),
              Format.count(vocabulary.size(), "word"),
              corpus.size(),
              Format.count(corpus.vocabulary().size(), "word"),
              corpus.size() == position.textTokens() ? ", in another order or counted anew" : ""));
    }
    return new Word2VecTraining(settings, device, corpus, tree, this, position.tokens());
  }

  /**
   * Begins to train on another text. Words keep their rows; a new word's row of W is drawn, as at
   * the start of any training, and that of C is 0. Words are thinned, and noise is drawn, by the
   * counts of the corpus's vocabulary: those of all texts where the reader was extending this one,
   * those that this one has where it took its words alone. In the hierarchical softmax new words
   * have a tree of their own by their counts, which {@linkplain HuffmanTree#joined a new root}
   * joins to the one that is there: its inner nodes keep their rows, and each path grows by one.
   *
   * @param settings those to train by: {@link #settings}, or the same with another rate, window,
   *     number of epochs and so on
   * @param device a CPU
   * @param corpus the text, read by {@link TextReader#extending} with this vocabulary or, where no
   *     word is to be added, {@link TextReader#vocabulary}; it stays open as long as the training
   * @throws IllegalArgumentException where dimension, model or objective are others, the corpus's
   *     words do not begin with those of this model, a path of the tree would be longer than {@link
   *     HuffmanTree#LONGEST}, or the device is no CPU
   */
  public Word2VecTraining extend(Word2Vec settings, Device device, Corpus corpus) {
    Word2VecTraining.check(device, corpus);
    if (settings.dimension() != this.settings.dimension()
        || settings.model() != this.settings.model()
        || settings.objective() != this.settings.objective()) {
      throw new IllegalArgumentException(
          format(
              "the model is %s; on another text it cannot become %s",
              kind(this.settings), kind(settings)));
    }
    Vocabulary all = corpus.vocabulary();
    int old = vocabulary.size();
    for (int word = 0; word < old; word++) {
      if (word >= all.size() || !all.word(word).equals(vocabulary.word(word))) {
        throw new IllegalArgumentException(
            format(
                "word %,d of the text is %s, that of the model '%s': read the text by a reader that"
                    + " is extending the model's vocabulary",
                word,
                word < all.size() ? "'" + all.word(word) + "'" : "none",
                vocabulary.word(word)));
      }
    }
    HuffmanTree joined = tree;
    if (tree != null && all.size() > old) {
      List<String> added = IntStream.range(old, all.size()).mapToObj(all::word).toList();
      long[] counts = Arrays.copyOfRange(all.counts(), old, all.size());
      joined = tree.joined(settings.tree().of(Vocabulary.inOrder(added, counts)));
    }
    return new Word2VecTraining(settings, device, corpus, joined, this, 0);
  }

  private static String kind(Word2Vec settings) {
    return format(
        "%s by %s of dimension %d",
        words(settings.model()), words(settings.objective()), settings.dimension());
  }

  private static String words(Enum<?> setting) {
    return setting.name().toLowerCase(ROOT).replace('_', ' ');
  }

  /** The settings of the training. */
  public Word2Vec settings() {
    return settings;
  }

  /** The words with their counts. */
  public Vocabulary vocabulary() {
    return vocabulary;
  }

  /**
   * The reader that reads the text as it was read, for {@link #resume}, with the words of {@link
   * #vocabulary}.
   */
  public TextReader reader() {
    return position.reader();
  }

  /** W: a row of {@code dimension} float32 for each word, one behind the other. */
  public MemorySegment input() {
    return input;
  }

  /** C: a row of {@code dimension} float32 for each output, one behind the other. */
  public MemorySegment output() {
    return output;
  }

  /** The rows of C: the words or, for the hierarchical softmax, the inner nodes of the tree. */
  public int outputs() {
    return tree == null ? vocabulary.size() : vocabulary.size() - 1;
  }

  /** The tree of the hierarchical softmax; null for other objectives. */
  public @Nullable HuffmanTree tree() {
    return tree;
  }

  /** The tokens of all readings of the text that are done, ends of sentences among them. */
  public long tokens() {
    return position.tokens();
  }

  /** All tokens that there will be. */
  public long ofTokens() {
    return settings.epochs() * position.textTokens();
  }

  /** The readings of the text that are done. */
  public int epoch() {
    return (int) (position.tokens() / position.textTokens());
  }

  /** The vectors W with the words' counts; they are not copied, and end with this model. */
  public Vectors vectors() {
    return vectors(input, null);
  }

  /**
   * The vectors C, by which a word is told from the words around it; they are not copied, and end
   * with this model.
   *
   * @throws IllegalStateException where the rows of C are the inner nodes of a tree
   */
  public Vectors contextVectors() {
    return vectors(contexts(), null);
  }

  /**
   * The sums of each word's rows of W and C (Pennington et al., GloVe, 2014), memory of their own.
   *
   * @throws IllegalStateException as {@link #contextVectors} does
   */
  public Vectors sum() {
    MemorySegment contexts = contexts();
    Arena arena = Arena.ofShared();
    MemorySegment sum = arena.allocate(input.byteSize(), Float.BYTES);
    for (long at = 0; at < sum.byteSize(); at += Float.BYTES) {
      sum.set(Rows.FLOAT, at, input.get(Rows.FLOAT, at) + contexts.get(Rows.FLOAT, at));
    }
    return vectors(sum, arena);
  }

  private Vectors vectors(MemorySegment rows, @Nullable Arena arena) {
    return Vectors.of(
        IntStream.range(0, vocabulary.size()).mapToObj(vocabulary::word).toList(),
        vocabulary.counts(),
        rows,
        settings.dimension(),
        arena);
  }

  private MemorySegment contexts() {
    if (tree != null) {
      throw new IllegalStateException(
          "words have no context vectors in a hierarchical softmax: the rows of C are the inner"
              + " nodes of its tree; W has the words");
    }
    return output;
  }

  /**
   * The likeliest words at a place, given words around it: P(w | context) as it was trained for, in
   * a text that is thinned as that of the training was. With x a word's vector or, of CBOW, the
   * mean of all, and y the rows of C:
   *
   * <pre>
   *   full softmax          e^(x·y[w]), divided by the sum over all words
   *   hierarchical softmax  the product over the path, see {@link SoftmaxTree}
   *   negative sampling     s(x·y[w] + log(k n(w))), divided by the sum over all words
   * </pre>
   *
   * <p>Negative sampling with k noise words tells a word from noise, of distribution n, count to
   * the {@link Word2Vec#noisePower}. It ends where the odds e^(x·y[w]) are those of P(w | x) to k
   * n(w) (Levy and Goldberg, "Neural word embedding as implicit matrix factorization", 2014; noise
   * equal to w is left out, which makes it P / (1 - P)). A softmax of the scores alone is therefore
   * not P(w | x): it lacks the noise, and ranks rare words too high.
   *
   * <p>Of skip-gram, which is trained for one word around a place, several are independent given
   * the word at the place: P(w | a, b) is P(w | a) P(w | b) / P(w), divided by the sum over all
   * words.
   *
   * @param around of the words around the place, those whose vectors are 0 do not count
   * @param n how many words, at most
   * @return the likeliest first; none where no word around has a vector
   * @throws IllegalArgumentException where a word is not in the vocabulary, or none is given
   */
  public List<Prediction> predict(List<String> around, int n) {
    if (n < 1) {
      throw new IllegalArgumentException("at least 1 word is asked for, not " + n);
    }
    WordProbabilities words = probabilities();
    List<float[]> x = words.vectorsOf(around);
    return x.isEmpty() ? List.of() : words.best(words.given(x), n);
  }

  /**
   * The likeliest words near a word: P(v | w), that of picking v among the words around w. Windows
   * are alike on both sides, so that v stands at a place and w around it as often as the other way
   * round: these are the predictions with w as the only word around.
   *
   * @param n how many words, at most
   * @throws IllegalArgumentException where the word is not in the vocabulary
   */
  public List<Prediction> near(String word, int n) {
    return predict(List.of(word), n);
  }

  /**
   * As {@link #predict}, by a beam of so many paths in the tree: 1 is greedy, and as many as there
   * are words is exhaustive.
   *
   * @throws IllegalStateException where the objective is no hierarchical softmax
   * @throws IllegalArgumentException as predict does, where the width is less than 1, and where
   *     several words are given to skip-gram, whose tree is read for one
   */
  public SoftmaxTree.Reading beam(List<String> around, int width) {
    WordProbabilities words = probabilities();
    SoftmaxTree softmax = words.tree();
    if (softmax == null) {
      throw new IllegalStateException(
          format(
              "a beam reads a hierarchical softmax; this model has %s",
              words(settings.objective())));
    }
    if (settings.model() == Word2Vec.Model.SKIP_GRAM && around.size() > 1) {
      throw new IllegalArgumentException(
          format(
              "skip-gram's tree is read for one word, not for %d: ask for all words",
              around.size()));
    }
    List<float[]> x = words.vectorsOf(around);
    return x.isEmpty()
        ? new SoftmaxTree.Reading(List.of(), 0)
        : softmax.beam(WordProbabilities.mean(x), width);
  }

  private WordProbabilities probabilities() {
    WordProbabilities known = probabilities;
    if (known == null) {
      Rows rows = new Rows(output, null, outputs(), settings.dimension());
      known =
          new WordProbabilities(
              settings,
              vocabulary,
              vectors(),
              rows,
              tree == null ? null : new SoftmaxTree(vocabulary, tree, rows));
      probabilities = known;
    }
    return known;
  }

  Position position() {
    return position;
  }

  /** Unmaps the file, or frees the matrices; closing it again does nothing. */
  @Override
  public synchronized void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }

  /** Such as {@code word2vec of 71290 words, 100 numbers each, 40 % trained}. */
  @Override
  public String toString() {
    return format(
        "word2vec of %d words, %d numbers each, %.0f %% trained",
        vocabulary.size(), settings.dimension(), 100.0 * tokens() / ofTokens());
  }
}
