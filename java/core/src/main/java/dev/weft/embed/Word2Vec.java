// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static dev.weft.format.Format.format;

import dev.weft.Device;
import dev.weft.text.Corpus;
import dev.weft.text.HuffmanTree;
import dev.weft.text.Vocabulary;
import java.util.function.Consumer;

/**
 * word2vec (Mikolov et al., "Efficient estimation of word representations in vector space" and
 * "Distributed representations of words and phrases and their compositionality", 2013): each word
 * gets a vector from which the words around it can be told.
 *
 * <p>With x a word around a place (skip-gram) or the mean of all around it (CBOW), y the rows of a
 * second matrix and w the word at the place, the objective is one of
 *
 * <pre>
 *   negative sampling       -log s(x·y[w]) - sum over noise words n of log s(-x·y[n])
 *   hierarchical softmax    - sum over the inner nodes k on w's path of log s(±x·y[k])
 *   full softmax            log(sum over words v of e^(x·y[v])) - x·y[w]
 * </pre>
 *
 * <p>with s(z) = 1 / (1 + e^-z). The rules are those of the authors' word2vec.c: windows of 1 to
 * {@code window} words, noise by count^power, frequent words thinned by {@code sample}, a rate that
 * falls to 0. What differs: a text is not cut, and windows end with sentences alone (but for 256
 * tokens of which nothing is kept); draws follow the place in the text and not the thread; some
 * words share their noise words, which {@link #sharing} tells.
 *
 * <p>Threads overwrite each other's steps now and then (Recht et al. 2011), so that two runs on
 * several threads differ; with an {@link #order} other than RACING they do not.
 *
 * {@snippet file="Examples.java" region="word2vec"}
 *
 * @param model what x is
 * @param objective what is made smaller
 * @param tree of the words, for the hierarchical softmax; of no effect for other objectives
 * @param dimension of the vectors
 * @param window the most words to each side, 1 to 64
 * @param negatives noise words for a word: 1 to 1024 of negative sampling, 0 of other objectives
 * @param sharing so many words, far apart in 1,024 of the text, have the same noise words, 64 at
 *     most; 0: each x has noise words of its own, as in word2vec.c, which takes about five times as
 *     long
 * @param noisePower noise words are drawn by count to the power of this
 * @param sample words that are a larger part of the text than this are thinned: one that is f of it
 *     stays with probability (√(f / sample) + 1) sample / f; 0 thins none
 * @param rate the learning rate at the start; it falls linearly to 1/10,000 of it
 * @param epochs how often the text is read
 * @param seed of all draws
 * @param order how threads take the text: RACING overwrites steps now and then; IN_ORDER is one
 *     thread alone; BLOCKS gives the same bits with any number of threads, which train 4 times
 *     1,024 words from the same vectors and then add what changed, as Adasum does (Maleki et al.
 *     2021)
 */
public record Word2Vec(
    Model model,
    Objective objective,
    WordTree tree,
    int dimension,
    int window,
    int negatives,
    int sharing,
    double noisePower,
    double sample,
    double rate,
    int epochs,
    long seed,
    Order order) {
  private static final int WIDEST_WINDOW = 64;
  private static final int SHARING = 8;
  private static final int MOST_SHARING = 64;
  private static final int LARGEST = 1 << 16;
  private static final int MOST_NEGATIVES = 1024;

  /** What is predicted of what. */
  public enum Model {
    /** Each word around a word, of that word's vector. */
    SKIP_GRAM,
    /** A word, of the mean of the vectors of the words around it. */
    CBOW
  }

  /** What is minimised. */
  public enum Objective {
    /** Whether a word was told from noise words. */
    NEGATIVE_SAMPLING,
    /** -log of the product of probabilities along a word's path in a tree. */
    HIERARCHICAL_SOFTMAX,
    /** -log of the softmax over all words. */
    FULL_SOFTMAX
  }

  /** In which order steps are taken. */
  public enum Order {
    /** All threads train the same vectors at once, and may overwrite each other's steps. */
    RACING,
    /** One thread trains the text from its beginning to its end. */
    IN_ORDER,
    /** Blocks of the text are trained from the same vectors, and their changes added in order. */
    BLOCKS
  }

  /** Checks the settings. */
  public Word2Vec {
    check(dimension >= 1 && dimension <= LARGEST, "the dimension", dimension, "1 to " + LARGEST);
    check(window >= 1 && window <= WIDEST_WINDOW, "the window", window, "1 to " + WIDEST_WINDOW);
    boolean sampled = objective == Objective.NEGATIVE_SAMPLING;
    check(
        negatives >= (sampled ? 1 : 0) && negatives <= (sampled ? MOST_NEGATIVES : 0),
        "the number of negatives",
        negatives,
        sampled ? "1 to " + MOST_NEGATIVES : "0: only negative sampling has noise words");
    check(
        sharing >= 0 && sharing <= MOST_SHARING,
        "the number of words that share their negatives",
        sharing,
        "0 to " + MOST_SHARING);
    check(Double.isFinite(noisePower), "the power of the noise", noisePower, "a number");
    check(sample >= 0 && sample < 1, "sample", sample, "0 up to 1");
    check(rate > 0 && Double.isFinite(rate), "the rate", rate, "above 0");
    check(epochs >= 1, "the number of epochs", epochs, "at least 1");
  }

  private static void check(boolean holds, String what, Number value, String expected) {
    if (!holds) {
      throw new IllegalArgumentException(format("%s is %s, expected %s", what, value, expected));
    }
  }

  /** Skip-gram with 5 negatives: dimension 100, window 5, sample 1e-3, rate 0.025, 5 epochs. */
  public static Word2Vec skipGram() {
    return new Word2Vec(
        Model.SKIP_GRAM,
        Objective.NEGATIVE_SAMPLING,
        WordTree.HUFFMAN,
        100,
        5,
        5,
        SHARING,
        0.75,
        1e-3,
        0.025,
        5,
        1,
        Order.RACING);
  }

  /** CBOW; the same but for a rate of 0.05. */
  public static Word2Vec cbow() {
    return skipGram().rate(0.05).with(draft -> draft.model = Model.CBOW);
  }

  /** The settings while one of them is changed. */
  private static final class Draft {
    Model model;
    Objective objective;
    WordTree tree;
    int dimension;
    int window;
    int negatives;
    int sharing;
    double noisePower;
    double sample;
    double rate;
    int epochs;
    long seed;
    Order order;

    Draft(Word2Vec from) {
      model = from.model;
      objective = from.objective;
      tree = from.tree;
      dimension = from.dimension;
      window = from.window;
      negatives = from.negatives;
      sharing = from.sharing;
      noisePower = from.noisePower;
      sample = from.sample;
      rate = from.rate;
      epochs = from.epochs;
      seed = from.seed;
      order = from.order;
    }

    Word2Vec settings() {
      return new Word2Vec(
          model,
          objective,
          tree,
          dimension,
          window,
          negatives,
          sharing,
          noisePower,
          sample,
          rate,
          epochs,
          seed,
          order);
    }
  }

  private Word2Vec with(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return draft.settings();
  }

  private Word2Vec with(Objective objective, WordTree tree, int negatives) {
    return with(
        draft -> {
          draft.objective = objective;
          draft.tree = tree;
          draft.negatives = negatives;
        });
  }

  /** The same against so many noise words for a word. */
  public Word2Vec negatives(int negatives) {
    return with(Objective.NEGATIVE_SAMPLING, WordTree.HUFFMAN, negatives);
  }

  /** The same with the hierarchical softmax, over a Huffman tree. */
  public Word2Vec hierarchicalSoftmax() {
    return hierarchicalSoftmax(WordTree.HUFFMAN);
  }

  /** The same with the hierarchical softmax, over this tree. */
  public Word2Vec hierarchicalSoftmax(WordTree tree) {
    return with(Objective.HIERARCHICAL_SOFTMAX, tree, 0);
  }

  /** The same with the softmax over all words, which takes as long as there are words. */
  public Word2Vec fullSoftmax() {
    return with(Objective.FULL_SOFTMAX, WordTree.HUFFMAN, 0);
  }

  /** The same of this dimension. */
  public Word2Vec dimension(int dimension) {
    return with(draft -> draft.dimension = dimension);
  }

  /** The same with so many words to each side at most. */
  public Word2Vec window(int window) {
    return with(draft -> draft.window = window);
  }

  /** The same where so many words share their noise words; 0: each pair has its own. */
  public Word2Vec sharing(int sharing) {
    return with(draft -> draft.sharing = sharing);
  }

  /** The same with noise words by count to this power. */
  public Word2Vec noisePower(double noisePower) {
    return with(draft -> draft.noisePower = noisePower);
  }

  /** The same with words above this share of the text thinned. */
  public Word2Vec sample(double sample) {
    return with(draft -> draft.sample = sample);
  }

  /** The same with this learning rate at the start. */
  public Word2Vec rate(double rate) {
    return with(draft -> draft.rate = rate);
  }

  /** The same with so many readings of the text. */
  public Word2Vec epochs(int epochs) {
    return with(draft -> draft.epochs = epochs);
  }

  /** The same with other draws. */
  public Word2Vec seed(long seed) {
    return with(draft -> draft.seed = seed);
  }

  /** The same on one thread alone: the same bits in every run. */
  public Word2Vec inOrder() {
    return with(draft -> draft.order = Order.IN_ORDER);
  }

  /** The same in blocks, on up to 4 threads: the same bits with any number of them. */
  public Word2Vec deterministic() {
    return with(draft -> draft.order = Order.BLOCKS);
  }

  /** How likely a word is not thinned. */
  double stays(Vocabulary words, int word) {
    double share = (double) words.count(word) / words.total();
    double ratio = sample / share;
    return sample == 0 ? 1 : Math.min(1, Math.sqrt(ratio) + ratio);
  }

  /**
   * Begins to train.
   *
   * @param device a CPU
   * @param corpus the text, which stays open as long as the training
   * @throws IllegalArgumentException where the device is no CPU, or the vocabulary has one word
   *     alone or no counts
   */
  public Word2VecTraining start(Device device, Corpus corpus) {
    Word2VecTraining.check(device, corpus);
    HuffmanTree words =
        objective == Objective.HIERARCHICAL_SOFTMAX ? tree.of(corpus.vocabulary()) : null;
    return new Word2VecTraining(this, device, corpus, words, null, 0);
  }
}
