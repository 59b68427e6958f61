// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.DeviceKind;
import dev.weft.Engine;
import dev.weft.Shape;
import dev.weft.StepState;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Closing;
import dev.weft.device.Kernel;
import dev.weft.device.Precision;
import dev.weft.device.WordModel;
import dev.weft.device.WordObjective;
import dev.weft.device.WordOrder;
import dev.weft.format.Format;
import dev.weft.text.Corpus;
import dev.weft.text.HuffmanTree;
import dev.weft.text.TextReader;
import dev.weft.text.Vocabulary;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A training of word vectors, a piece of text at a time. Memory: two matrices of the vocabulary by
 * the dimension, in rows of whole cache lines, and the vocabulary; the text stays in its file.
 * {@link Word2Vec#deterministic} takes, four times, two copies of the rows that 1,024 words need,
 * all output rows for the full softmax, and 4 bytes for each row of both matrices.
 */
public final class Word2VecTraining implements AutoCloseable {
  // what the kernel's draws are made for at once
  static final long UNIT = 1024;
  // A hundredth of an epoch, but work for many threads, and 50 ms of the fast forms at most.
  private static final long PIECES = 100;
  private static final long SHORTEST_PIECE = 16 * UNIT;
  private static final long LONGEST_PIECE = 256 * UNIT;
  private static final long FULL_PIECE = 4 * UNIT; // all words' scores for each: 4 threads at most
  private static final double LEAST_RATE = 1e-4;
  private static final long HELD_OUT = -2; // the step that its draws follow, none of training's

  /**
   * How far a training is.
   *
   * @param epoch the readings of the text that are done
   * @param tokens of all readings that are done, ends of sentences among them
   * @param ofTokens all there will be
   * @param rate the learning rate
   * @param loss the mean of the objective since the last time that this was asked for, before the
   *     steps; NaN where nothing was trained since
   */
  public record Progress(int epoch, long tokens, long ofTokens, double rate, double loss) {}

  private final Word2Vec settings;
  private final Device device;
  private final Corpus corpus;
  private final Vocabulary words;
  private final @Nullable HuffmanTree tree;
  private final List<AutoCloseable> owned = new ArrayList<>();
  private final WordMatrices matrices;
  private final Tensor sums;
  private final StepState state;
  private final WordTables tables;
  private final Arguments.Word2vec arguments;
  private final long piece;
  private final long begun; // tokens that were trained before
  private long tokens;
  private double lossBefore;
  private double countBefore;
  private long checksum = -1;

  /**
   * A training that begins, or goes on.
   *
   * @param tree of the corpus's words; null where the objective has none
   * @param from whose rows are taken; null: all rows begin anew
   * @param tokens that were trained before
   */
  Word2VecTraining(
      Word2Vec settings,
      Device device,
      Corpus corpus,
      @Nullable HuffmanTree tree,
      @Nullable Word2VecModel from,
      long tokens) {
    this.settings = settings;
    this.device = device;
    this.corpus = corpus;
    this.tree = tree;
    this.tokens = tokens;
    begun = tokens;
    if (corpus.size() > Long.MAX_VALUE / settings.epochs()) {
      throw new IllegalArgumentException(
          format("%,d readings of %,d tokens are too many", settings.epochs(), corpus.size()));
    }
    words = corpus.vocabulary();
    piece =
        settings.objective() == Word2Vec.Objective.FULL_SOFTMAX
            ? FULL_PIECE
            : Math.clamp(corpus.size() / PIECES / UNIT * UNIT, SHORTEST_PIECE, LONGEST_PIECE);
    try {
      int dimension = settings.dimension();
      int outputs = tree != null ? words.size() - 1 : words.size();
      Tensor input = own(WordMatrices.zeros(device, words.size(), dimension, "word vectors"));
      Tensor output = own(WordMatrices.zeros(device, outputs, dimension, "context vectors"));
      matrices = new WordMatrices(device, dimension, input, output);
      sums = own(device.zeros(DType.F64, Shape.of(2)).named("objective"));
      state = own(new StepState(device, settings.seed()));
      if (from != null) {
        boolean joined = tree != from.tree(); // a new root has the first row
        matrices.fill(from, joined ? 1 : 0);
      }
      matrices.draw(from == null ? 0 : from.vocabulary().size(), settings.seed());
      tables = WordTables.of(settings, device, words, tree, owned);
      arguments = arguments(corpus, sums, settings.rate() * (1 - LEAST_RATE) / ofTokens());
    } catch (Throwable e) {
      Closing.after(e, this::close);
      throw e;
    }
  }

  /** Refuses a device or a text that word vectors cannot be trained with. */
  static void check(Device device, Corpus corpus) {
    if (device.kind() != DeviceKind.CPU) {
      throw new IllegalArgumentException(
          format("word vectors are trained on the CPU; the device is %s", device));
    }
    Vocabulary words = corpus.vocabulary();
    if (words.size() < 2) {
      throw new IllegalArgumentException(
          format(
              "'%s' is the vocabulary's only word: there is nothing to tell it from",
              words.word(0)));
    }
    if (words.total() == 0) {
      throw new IllegalArgumentException(
          "the vocabulary has no counts, by which words are thinned and noise is drawn");
    }
  }

  private <T extends AutoCloseable> T own(T resource) {
    owned.add(resource);
    return resource;
  }

  private Arguments.Word2vec arguments(Corpus text, Tensor sums, double fall) {
    return new Arguments.Word2vec(
        text.tokens().address(),
        tables.keep(),
        tables.thresholds(),
        tables.aliases(),
        tables.offsets(),
        tables.nodes(),
        tables.bits(),
        Engine.address(state),
        Engine.address(matrices.input()),
        Engine.address(matrices.output()),
        Engine.address(sums),
        piece,
        text.size(),
        words.size(),
        matrices.output().shape().size(0),
        tree == null ? 0 : tree.nodes().length,
        matrices.input().shape().size(1),
        WordModel.valueOf(settings.model().name()),
        WordObjective.valueOf(settings.objective().name()),
        settings.window(),
        settings.negatives(),
        settings.model() == Word2Vec.Model.CBOW
            ? Math.max(1, settings.sharing())
            : settings.sharing(),
        fall,
        WordOrder.valueOf(settings.order().name()));
  }

  /**
   * Trains the next piece of the text.
   *
   * @return whether there is more
   * @throws IllegalStateException where a vector became NaN or infinite: names the word; where no
   *     word has one around it; where this or the corpus is closed
   */
  public boolean step() {
    checkOpen();
    if (tokens >= ofTokens()) {
      return false;
    }
    long place = tokens % corpus.size();
    state.set(settings.seed(), tokens / corpus.size(), 0, place, rate());
    corpus.read(() -> Engine.run(device, Kernel.WORD2VEC, Precision.F32, arguments));
    tokens += Math.min(piece, corpus.size() - place);
    double[] objective = sums.toDoubles();
    if (!Double.isFinite(objective[0])) {
      throw diverged("the objective");
    }
    if (objective[1] == 0 && tokens - begun >= corpus.size()) {
      throw new IllegalStateException(
          "no word of the text has another one around it that is kept: a line is a sentence, and"
              + " windows end with it; and words that are a larger share of the text than sample"
              + " are thinned, none at a sample of 0");
    }
    return tokens < ofTokens();
  }

  private void checkOpen() {
    if (owned.isEmpty()) {
      throw new IllegalStateException("this training is closed");
    }
    if (!corpus.tokens().scope().isAlive()) {
      throw new IllegalStateException("the corpus is closed, and the training reads it");
    }
  }

  /** The last steps of a piece are in no objective yet. */
  private void checkFinite() {
    Tensor wrong = matrices.notFinite();
    if (wrong != null) {
      throw diverged(wrong == matrices.input() ? "a word vector" : "a context vector");
    }
  }

  private IllegalStateException diverged(String what) {
    String where = "";
    for (int w = 0; w < words.size() && where.isEmpty(); w++) {
      for (float value : matrices.row(w)) {
        if (!Float.isFinite(value)) {
          where = format("; the vector of '%s' is the first that is not finite", words.word(w));
          break;
        }
      }
    }
    return new IllegalStateException(
        format(
            "%s is not finite after %,d of %,d tokens%s; a smaller rate than %s may help",
            what, tokens, ofTokens(), where, settings.rate()));
  }

  private long ofTokens() {
    return settings.epochs() * corpus.size();
  }

  private double rate() {
    return settings.rate() * (1 - (1 - LEAST_RATE) * tokens / ofTokens());
  }

  /** The settings that it trains by. */
  public Word2Vec settings() {
    return settings;
  }

  /** The readings of the text that are done. */
  public int epoch() {
    return (int) (tokens / corpus.size());
  }

  /** How far it is. */
  public Progress progress() {
    double[] now = sums.toDoubles();
    double loss = (now[0] - lossBefore) / (now[1] - countBefore);
    lossBefore = now[0];
    countBefore = now[1];
    return new Progress(epoch(), tokens, ofTokens(), rate(), loss);
  }

  /**
   * The mean of the objective over another text, thinned and with noise as in training; no vector
   * changes, and the same vectors give the same mean whatever the number of threads.
   *
   * @param heldOut read by {@link TextReader#vocabulary} with the words of the training's corpus
   * @throws IllegalArgumentException where it has other words, or none with another one around it
   * @throws IllegalStateException where it is not finite; where this or a corpus is closed
   */
  public double loss(Corpus heldOut) {
    return loss(heldOut, () -> false);
  }

  /**
   * As {@link #loss(Corpus)}, but broken off where that is wanted.
   *
   * @param stopped asked before each piece of the text, whether to break off
   * @return NaN where it was broken off
   */
  public double loss(Corpus heldOut, BooleanSupplier stopped) {
    checkOpen();
    if (!heldOut.tokens().scope().isAlive()) {
      throw new IllegalStateException("the corpus that is held out is closed");
    }
    if (!heldOut.vocabulary().equals(words)) {
      throw new IllegalArgumentException(
          format(
              "the text that is held out has a vocabulary of its own, of %s; read it with that of"
                  + " the training, of %s",
              Format.count(heldOut.vocabulary().size(), "word"),
              Format.count(words.size(), "word")));
    }
    try (Tensor sum = device.zeros(DType.F64, Shape.of(2))) {
      Arguments.Word2vec measured = arguments(heldOut, sum, 0);
      for (long place = 0; place < heldOut.size(); place += piece) {
        if (stopped.getAsBoolean()) {
          return Double.NaN;
        }
        state.set(settings.seed(), HELD_OUT, 0, place, 0); // steps at a rate of 0 change nothing
        heldOut.read(() -> Engine.run(device, Kernel.WORD2VEC, Precision.F32, measured));
      }
      double[] objective = sum.toDoubles();
      if (objective[1] == 0) {
        throw new IllegalArgumentException(
            "no word of the text that is held out has another one around it that is kept: frequent"
                + " words are thinned, so that a longer text is needed");
      }
      if (!Double.isFinite(objective[0])) {
        throw diverged("the objective of the text that is held out");
      }
      return objective[0] / objective[1];
    }
  }

  /** Trains all that is left of the text. */
  public void finish() {
    boolean more = true;
    while (more) {
      more = step();
    }
  }

  /**
   * The vectors as they are, copied, with the words' counts; closing them frees the copy.
   *
   * @throws IllegalStateException where a number of the matrices is not finite
   */
  public Vectors vectors() {
    checkFinite();
    Arena arena = Arena.ofShared();
    try {
      return Vectors.of(
          IntStream.range(0, words.size()).mapToObj(words::word).toList(),
          words.counts(),
          matrices.rows(matrices.input(), arena),
          settings.dimension(),
          arena);
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  /**
   * All that it takes to go on, as it is, copied: it takes as much memory again as the training,
   * until it is closed.
   *
   * @throws IllegalStateException where a number of the matrices is not finite; where this or the
   *     corpus is closed
   */
  public Word2VecModel model() {
    checkOpen();
    checkFinite();
    if (checksum < 0) {
      checksum = corpus.checksum();
    }
    Arena arena = Arena.ofShared();
    try {
      return new Word2VecModel(
          settings,
          words,
          matrices.rows(matrices.input(), arena),
          matrices.rows(matrices.output(), arena),
          tree,
          new Word2VecModel.Position(tokens, corpus.size(), checksum, corpus.reader()),
          arena);
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  /**
   * The vector of a word.
   *
   * @throws IllegalArgumentException where the vocabulary lacks it
   */
  public float[] vector(String word) {
    int id = words.id(word);
    if (id < 0) {
      throw new IllegalArgumentException(
          format("'%s' is not among the %,d words of the vocabulary", word, words.size()));
    }
    return matrices.row(id);
  }

  /** Gives all memory back; the second time without effect. */
  @Override
  public void close() {
    device.checkMayClose();
    AutoCloseable[] parts = owned.reversed().toArray(AutoCloseable[]::new);
    owned.clear();
    Closing.all(parts);
  }
}
