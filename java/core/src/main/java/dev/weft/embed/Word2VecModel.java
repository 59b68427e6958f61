// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static dev.weft.format.Format.format;

import dev.weft.io.FormatException;
import dev.weft.text.HuffmanTree;
import dev.weft.text.Vocabulary;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * All that a training of word vectors is made of, at one moment of it: what it needs to go on, and
 * what tells how likely a word is among others. With W the input matrix and C the output matrix,
 * {@link Word2Vec} says what they are for.
 *
 * <p>{@link Word2VecTraining#model} gives it, {@link #save} and {@link #read} keep it in a file.
 */
public final class Word2VecModel {
  private final Word2Vec settings;
  private final Vocabulary vocabulary;
  private final MemorySegment input;
  private final MemorySegment output;
  private final @Nullable HuffmanTree tree;
  private final Position position;

  /**
   * How far the training is, and in which text.
   *
   * @param tokens of all readings of the text that are done, ends of sentences among them
   * @param textTokens of the text
   * @param checksum of the text
   */
  record Position(long tokens, long textTokens, long checksum) {}

  Word2VecModel(
      Word2Vec settings,
      Vocabulary vocabulary,
      MemorySegment input,
      MemorySegment output,
      @Nullable HuffmanTree tree,
      Position position) {
    this.settings = settings;
    this.vocabulary = vocabulary;
    this.input = input;
    this.output = output;
    this.tree = tree;
    this.position = position;
  }

  /**
   * Reads a file that {@link #save} wrote; the matrices stay in the file, mapped.
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
   * softmax, I32 {@code path_offsets}, I32 {@code path_nodes} and U8 {@code path_bits}; settings
   * and position are metadata. {@link Vectors#open} reads W from it.
   *
   * @throws IOException where it cannot be written; what was there is as it was
   */
  public void save(Path path) throws IOException {
    Word2VecFile.write(this, path);
  }

  /** The settings of the training. */
  public Word2Vec settings() {
    return settings;
  }

  /** The words with their counts. */
  public Vocabulary vocabulary() {
    return vocabulary;
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

  /** The vectors W with the words' counts; they are not copied. */
  public Vectors vectors() {
    return Vectors.of(
        IntStream.range(0, vocabulary.size()).mapToObj(vocabulary::word).toList(),
        vocabulary.counts(),
        input,
        settings.dimension());
  }

  Position position() {
    return position;
  }

  /** Such as {@code word2vec of 71290 words, 100 numbers each, 40 % trained}. */
  @Override
  public String toString() {
    return format(
        "word2vec of %d words, %d numbers each, %.0f %% trained",
        vocabulary.size(), settings.dimension(), 100.0 * tokens() / ofTokens());
  }
}
