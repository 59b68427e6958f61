// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.Device;
import dev.weft.Shape;
import dev.weft.format.Format;
import dev.weft.io.FormatException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Word vectors: distinct words in an order, and a row of float32 for each.
 *
 * <p>Rows of binary, safetensors and npy files stay in the file, mapped, so that processes share
 * them; norms are computed at the first question that needs them and lie beside. Any number of
 * threads may ask at once; only what is asked on a {@link Device} is for its thread.
 *
 * <p>A row of zeros, or one that is not finite, points nowhere: it is near to nothing, and no
 * answer to any question. A word that is not there is an {@link IllegalArgumentException} that
 * names it and words spelled like it.
 *
 * {@snippet file="Examples.java" region="vectors"}
 *
 * <p>This class is long because it has every way to open vectors and every question to a word.
 */
public final class Vectors implements AutoCloseable {
  private static final int SUGGESTED = 3;

  /** Numbers of all questions at a time. */
  private static final int MOST = 1 << 26;

  private final Words words;
  private final Rows rows;
  private final long @Nullable [] counts;
  private final int duplicates;
  private final int notUtf8;
  private final @Nullable Arena arena;
  private volatile float @Nullable [] norms;
  private volatile boolean closed;

  private Vectors(Content content) {
    this.words = content.words();
    this.rows = content.rows();
    this.counts = content.counts();
    this.duplicates = content.duplicates();
    this.notUtf8 = words.notUtf8();
    this.arena = content.arena();
  }

  /**
   * Opens a file, of the format that its content shows.
   *
   * @throws FormatException where it is not what it promises, cut short for one, or its content may
   *     be of several formats or of none: give the format, then
   * @throws IOException where it cannot be read
   */
  public static Vectors open(Path path) throws IOException {
    return open(path, VectorFormat.of(path).orElseThrow(() -> unknown(path)));
  }

  private static IOException unknown(Path path) {
    return new FormatException(
        path,
        0,
        "the content is not surely that of a format of word vectors (word2vec text or binary, GloVe"
            + " text, safetensors, npy); where it is one of them, say which");
  }

  /**
   * Opens a file of a format; the vocabulary of a matrix has its name, ending in {@code .vocab}.
   *
   * @throws FormatException where it is not of that format, or cut short
   * @throws IOException where it cannot be read
   */
  public static Vectors open(Path path, VectorFormat format) throws IOException {
    return open(path, format, null);
  }

  /**
   * Opens an npy or safetensors file whose words are in another one, a word a line; where every
   * line ends in a space or tab and a whole number, those are the words' counts.
   *
   * @throws FormatException where the files are not of these formats, are cut short or differ in
   *     their number of words
   * @throws IllegalArgumentException where the format has its words in the file
   * @throws IOException where they cannot be read
   */
  public static Vectors open(Path path, VectorFormat format, @Nullable Path vocabulary)
      throws IOException {
    boolean matrix = format == VectorFormat.NPY || format == VectorFormat.SAFETENSORS;
    if (vocabulary != null && !matrix) {
      throw new IllegalArgumentException(
          format(
              "%s has its words in it, and needs no %s", VectorFormat.words(format), vocabulary));
    }
    format.check(path);
    return new Vectors(
        switch (format) {
          case WORD2VEC_TEXT -> TextVectors.readWord2vec(path);
          case WORD2VEC_BINARY -> BinaryReader.map(path);
          case GLOVE -> TextVectors.readGlove(path);
          case SAFETENSORS -> MatrixReader.mapSafetensors(path, vocabulary);
          case NPY -> MatrixReader.mapNpy(path, vocabulary);
        });
  }

  /**
   * Vectors of arrays, copied.
   *
   * @throws IllegalArgumentException where there is no word, one comes twice, or counts or lengths
   *     differ
   */
  public static Vectors of(List<String> words, float[][] rows) {
    int dimension = Math.toIntExact(Shape.ofRows(rows).size(1));
    MemorySegment data =
        Arena.ofAuto().allocate((long) rows.length * dimension * Float.BYTES, Float.BYTES);
    for (int i = 0; i < rows.length; i++) {
      MemorySegment.copy(rows[i], 0, data, Rows.FLOAT, 4L * i * dimension, dimension);
    }
    return of(words, data, dimension);
  }

  /**
   * Vectors over memory, which is not copied and must live as long as they are used.
   *
   * @param rows words.size() rows of {@code dimension} float32, little-endian, row-major
   * @throws IllegalArgumentException where there is no word, one comes twice, or the memory has
   *     another size
   */
  public static Vectors of(List<String> words, MemorySegment rows, int dimension) {
    return of(words, null, rows, dimension);
  }

  /**
   * As {@link #of(List, MemorySegment, int)}, with how often each word was in the text.
   *
   * @param counts of each word; null where they are not known
   * @throws IllegalArgumentException where there is no word, one comes twice, or a size differs
   */
  public static Vectors of(
      List<String> words, long @Nullable [] counts, MemorySegment rows, int dimension) {
    return of(words, counts, rows, dimension, null);
  }

  /** As that, over memory of an arena that is closed with the vectors. */
  static Vectors of(
      List<String> words,
      long @Nullable [] counts,
      MemorySegment rows,
      int dimension,
      @Nullable Arena arena) {
    if (words.isEmpty()) {
      throw new IllegalArgumentException("vectors of no words: at least 1 is needed");
    }
    if (dimension < 1 || rows.byteSize() != 4L * words.size() * dimension) {
      throw new IllegalArgumentException(
          format(
              "%,d words of %d float32 take %,d bytes, got %,d",
              words.size(), dimension, 4L * words.size() * dimension, rows.byteSize()));
    }
    if (counts != null && counts.length != words.size()) {
      throw new IllegalArgumentException(
          format("%,d counts for %,d words", counts.length, words.size()));
    }
    Words distinct = new Words(words.size());
    for (String word : words) {
      if (!distinct.add(word)) {
        throw new IllegalArgumentException(format("the word '%s' comes twice", word));
      }
    }
    Rows matrix = new Rows(rows, null, words.size(), dimension);
    return new Vectors(
        new Content(distinct, matrix, counts == null ? null : counts.clone(), 0, arena));
  }

  /**
   * Writes a file that is whole or absent. Text has each number in the fewest digits that read back
   * as the same float32. Beside an npy file its words go to one that ends in {@code .vocab}: both
   * are written before either takes its name.
   *
   * @throws IllegalArgumentException where the format cannot hold a word, such as one with white
   *     space in text; nothing is written then
   * @throws IOException where it cannot be written
   */
  public void write(Path path, VectorFormat format) throws IOException {
    check();
    new Writer(words, rows, counts).write(path, format);
  }

  /** The number of words. */
  public int size() {
    return rows.count();
  }

  /** The length of a vector. */
  public int dimension() {
    return rows.dimension();
  }

  /** Rows of the file that were left out, since their word stood before: the first one holds. */
  public int duplicates() {
    return duplicates;
  }

  /** Words that are not UTF-8, such as those that word2vec.c cut; they read with replacements. */
  public int notUtf8() {
    return notUtf8;
  }

  /**
   * A word by its number.
   *
   * @throws IndexOutOfBoundsException where there is none
   */
  public String word(int row) {
    return words.word(Objects.checkIndex(row, size()));
  }

  /** The number of a word; -1 where it is not there. */
  public int indexOf(String word) {
    return words.indexOf(word);
  }

  /** Whether a word is there. */
  public boolean contains(String word) {
    return words.indexOf(word) >= 0;
  }

  /** How often a word was in the text that it was trained on; empty where that is not known. */
  public OptionalLong count(String word) {
    int row = row(word);
    return counts == null ? OptionalLong.empty() : OptionalLong.of(counts[row]);
  }

  /** A copy of a word's vector. */
  public float[] vector(String word) {
    return vector(row(word));
  }

  /**
   * A copy of a vector by its number.
   *
   * @throws IndexOutOfBoundsException where there is none
   */
  public float[] vector(int row) {
    check();
    float[] vector = new float[dimension()];
    rows.copy(Objects.checkIndex(row, size()), vector, 0);
    return vector;
  }

  /** The Euclidean norm of a word's vector. */
  public double norm(String word) {
    int row = row(word);
    return norms()[row];
  }

  /** The cosine of the angle between two words' vectors; 0 where one of them points nowhere. */
  public double similarity(String a, String b) {
    return similarity(row(a), row(b));
  }

  double similarity(int a, int b) {
    return Search.dot(unit(a), unit(b), 0);
  }

  /**
   * The words nearest to a word, without itself, the nearest first; none where it points nowhere.
   *
   * @param n how many, at most
   */
  public List<Neighbour> neighbours(String word, int n) {
    int row = row(word);
    return answer(unit(row), top(n, row), Search.Rule.COSINE);
  }

  /**
   * The words nearest to a vector, the nearest first; none where it is 0.
   *
   * @throws IllegalArgumentException where the vector has another length or is not finite
   */
  public List<Neighbour> neighbours(float[] vector, int n) {
    return answer(unit(vector), top(n), Search.Rule.COSINE);
  }

  /**
   * As {@link #neighbours(String, int)}, for many words by matrix products on a device.
   *
   * @return the neighbours of each word
   */
  public List<List<Neighbour>> neighbours(Device device, List<String> asked, int n) {
    List<Top> best = new ArrayList<>();
    int[] numbers = asked.stream().mapToInt(this::row).toArray();
    for (int row : numbers) {
      best.add(top(n, row));
    }
    return answer(device, i -> unit(numbers[i]), best, Search.Rule.COSINE, size()).stream()
        .map(this::neighbours)
        .toList();
  }

  /**
   * As {@link #neighbours(float[], int)}, for many vectors by matrix products on a device.
   *
   * @return the neighbours of each vector
   */
  public List<List<Neighbour>> neighbours(Device device, float[][] asked, int n) {
    List<Top> best = new ArrayList<>();
    for (float[] vector : asked) {
      unit(vector);
      best.add(top(n));
    }
    return answer(device, i -> unit(asked[i]), best, Search.Rule.COSINE, size()).stream()
        .map(this::neighbours)
        .toList();
  }

  /** Answers to "a is to b as c is to what?" by {@link AnalogyScore#ADD}, the best first. */
  public List<Neighbour> analogy(String a, String b, String c, int n) {
    return analogy(a, b, c, n, AnalogyScore.ADD);
  }

  /** Answers to "a is to b as c is to what?", the best first. */
  public List<Neighbour> analogy(String a, String b, String c, int n, AnalogyScore score) {
    int[] asked = {row(a), row(b), row(c)};
    return answer(analogy(asked, score), top(n, asked), rule(score));
  }

  static Search.Rule rule(AnalogyScore score) {
    return score == AnalogyScore.ADD ? Search.Rule.COSINE : Search.Rule.MULTIPLY;
  }

  /** What is asked for an analogy of three rows a, b, c: the vectors of {@link Search.Rule}. */
  float[] analogy(int[] asked, AnalogyScore score) {
    float[] a = unit(asked[0]);
    float[] b = unit(asked[1]);
    float[] c = unit(asked[2]);
    int d = dimension();
    if (score == AnalogyScore.MULTIPLY) {
      float[] all = Arrays.copyOf(b, 3 * d);
      System.arraycopy(c, 0, all, d, d);
      System.arraycopy(a, 0, all, 2 * d, d);
      return all;
    }
    for (int i = 0; i < d; i++) {
      b[i] = b[i] - a[i] + c[i];
    }
    Rows.normalize(b, 0, d, Rows.norm(b, 0, d));
    return b;
  }

  /**
   * The word that is least like the mean of all of them.
   *
   * @throws IllegalArgumentException where they are fewer than three
   */
  public String oddOneOut(List<String> asked) {
    if (asked.size() < 3) {
      throw new IllegalArgumentException(
          format(
              "one is odd among three words or more, got %s", Format.count(asked.size(), "word")));
    }
    float[] mean = mean(asked);
    String odd = asked.getFirst();
    double least = Double.POSITIVE_INFINITY;
    for (String word : asked) {
      double likeness = Search.dot(unit(row(word)), mean, 0);
      if (likeness < least) {
        least = likeness;
        odd = word;
      }
    }
    return odd;
  }

  /**
   * The mean of words' vectors at length 1, a vector of a sentence; those that point nowhere do not
   * count, and of none it is 0.
   */
  public float[] mean(List<String> asked) {
    double[] sum = new double[dimension()];
    int directions = 0;
    for (String word : asked) {
      int row = row(word);
      float[] unit = unit(row);
      directions += isDirection(row) ? 1 : 0;
      Arrays.setAll(sum, i -> sum[i] + unit[i]);
    }
    float[] mean = new float[dimension()];
    for (int i = 0; i < mean.length; i++) {
      mean[i] = (float) (sum[i] / Math.max(1, directions));
    }
    return mean;
  }

  Words words() {
    return words;
  }

  boolean isDirection(int row) {
    return Rows.isDirection(norms()[row]);
  }

  /** Keeps the n best answers but for those rows. */
  Top top(int n, int... excluded) {
    if (n < 1) {
      throw new IllegalArgumentException("at least 1 word is asked for, not " + n);
    }
    return new Top(Math.min(n, size()), norms(), excluded);
  }

  /** What a question asks for: one vector of length 1 or, for an analogy, three. */
  interface Question {
    float[] vectors(int i);
  }

  /** Answers many questions on a device, among the first {@code limit} rows. */
  List<Top> answer(Device device, Question question, List<Top> best, Search.Rule rule, int limit) {
    check();
    Search search = new Search(rows, norms(), limit);
    int width = dimension() * rule.vectors;
    int most = Math.max(1, MOST / width);
    for (int from = 0; from < best.size(); from += most) {
      List<Top> part = best.subList(from, Math.min(best.size(), from + most));
      float[] vectors = new float[part.size() * width];
      for (int i = 0; i < part.size(); i++) {
        System.arraycopy(question.vectors(from + i), 0, vectors, i * width, width);
      }
      search.answer(new Search.Questions(vectors, part, rule), device);
    }
    return best;
  }

  private List<Neighbour> answer(float[] vectors, Top best, Search.Rule rule) {
    check();
    Search search = new Search(rows, norms(), size());
    search.answer(new Search.Questions(vectors, List.of(best), rule));
    return neighbours(best);
  }

  private List<Neighbour> neighbours(Top best) {
    return Arrays.stream(best.take())
        .map(hit -> new Neighbour(words.word(hit.row()), hit.score()))
        .toList();
  }

  private float[] unit(int row) {
    float[] vector = vector(row);
    Rows.normalize(vector, 0, vector.length, norms()[row]);
    return vector;
  }

  private float[] unit(float[] vector) {
    float norm = Rows.norm(vector, 0, vector.length);
    if (vector.length != dimension() || !(norm <= Float.MAX_VALUE)) {
      throw new IllegalArgumentException(
          format(
              "vectors have %d finite numbers here; the one asked for has %d, and norm %s",
              dimension(), vector.length, norm));
    }
    float[] unit = vector.clone();
    Rows.normalize(unit, 0, unit.length, norm);
    return unit;
  }

  float[] norms() {
    float[] known = norms;
    if (known == null) {
      check();
      known = rows.norms();
      norms = known;
    }
    return known;
  }

  private int row(String word) {
    check();
    int row = words.indexOf(word);
    if (row < 0) {
      List<String> close = close(word);
      throw new IllegalArgumentException(
          format(
              "the word '%s' is not among the %s%s",
              word,
              Format.count(size(), "word"),
              close.isEmpty() ? "" : "; spelled like it: " + String.join(", ", close)));
    }
    return row;
  }

  /** The first words that differ from this by their case or one slip. */
  private List<String> close(String word) {
    List<String> close = new ArrayList<>();
    ByteBuffer wanted = ByteBuffer.wrap(word.getBytes(StandardCharsets.UTF_8));
    String lower = word.toLowerCase(ROOT);
    for (int i = 0; i < size() && close.size() < SUGGESTED; i++) {
      if (Math.abs(words.length(i) - wanted.limit()) <= 1
          && (Words.areClose(words.buffer(i), wanted)
              || words.word(i).toLowerCase(ROOT).equals(lower))) {
        close.add(words.word(i));
      }
    }
    return close;
  }

  private void check() {
    if (closed) {
      throw new IllegalStateException(toString() + " are closed");
    }
  }

  /** Unmaps the file or frees what was read; closing it again does nothing. */
  @Override
  public synchronized void close() {
    if (!closed) {
      if (arena != null) {
        arena.close();
      }
      closed = true;
    }
  }

  /** Such as {@code vectors of 400000 words, 50 numbers each}. */
  @Override
  public String toString() {
    return format(
        "vectors of %s, %s each",
        Format.count(size(), "word"), Format.count(dimension(), "number"));
  }
}
