// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static dev.weft.format.Format.format;

import dev.weft.Shape;
import dev.weft.text.HuffmanTree;
import dev.weft.text.Vocabulary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Words as the leaves of a binary tree whose V - 1 inner nodes k have vectors y[k] (Morin and
 * Bengio 2005). From the root, branch 0 is taken with probability s(x·y[k]) and branch 1 with
 * s(-x·y[k]), s(z) = 1 / (1 + e^-z), so that the probabilities of all words add up to 1:
 *
 * <pre>
 *   P(w | x) = product over the inner nodes k on w's path of s(±x·y[k])
 * </pre>
 *
 * <p>There are three ways to the likeliest words. Each gives words with their true probabilities;
 * what differs is how many inner nodes are evaluated, d multiplications each, and which words are
 * missed:
 *
 * <pre>
 *   exhaustive   V - 1                            none
 *   beam         at most width (longest path)     those below a node that was not among the best
 *   greedy       the length of the path it takes  all but one, that need not be the likeliest
 * </pre>
 *
 * <p>A beam of V paths or more is exhaustive, and one of 1 is greedy. A product that is not finite
 * makes the words below its node impossible.
 */
public final class SoftmaxTree {
  /** By falling probability; of equal ones words before inner nodes, both by their numbers. */
  private static final Comparator<Path> LIKELIEST =
      Comparator.comparingDouble((Path path) -> -path.logProbability()).thenComparingInt(Path::end);

  private final Vocabulary words;
  private final HuffmanTree tree;
  private final Rows nodes;
  private final int[] children; // of node k [2 k] and [2 k + 1]: a word, or V + an inner node

  /**
   * What was read.
   *
   * @param words the likeliest first
   * @param nodes how many inner nodes were evaluated for that
   */
  public record Reading(List<Prediction> words, int nodes) {
    /** Copies the list. */
    public Reading {
      words = List.copyOf(words);
    }
  }

  /** From the root to a word or, V behind all words, an inner node. */
  private record Path(double logProbability, int end) {}

  SoftmaxTree(Vocabulary words, HuffmanTree tree, Rows nodes) {
    if (tree.size() != words.size() || nodes.count() != words.size() - 1) {
      throw new IllegalArgumentException(
          format(
              "%,d words have a tree of %,d inner nodes; got a tree of %,d words and %,d vectors",
              words.size(), words.size() - 1, tree.size(), nodes.count()));
    }
    this.words = words;
    this.tree = tree;
    this.nodes = nodes;
    children = new int[2 * nodes.count()];
    for (int word = 0; word < words.size(); word++) {
      int end = tree.offsets()[word + 1];
      for (int i = tree.offsets()[word]; i < end; i++) {
        children[2 * tree.nodes()[i] + tree.bits()[i]] =
            i + 1 < end ? words.size() + tree.nodes()[i + 1] : word;
      }
    }
  }

  /**
   * A tree whose inner nodes have these vectors, copied.
   *
   * @throws IllegalArgumentException where words, tree and vectors do not fit each other
   */
  public static SoftmaxTree of(Vocabulary words, HuffmanTree tree, float[][] nodes) {
    int dimension = Math.toIntExact(Shape.ofRows(nodes).size(1));
    MemorySegment data = Arena.ofAuto().allocate(4L * nodes.length * dimension, Float.BYTES);
    for (int k = 0; k < nodes.length; k++) {
      MemorySegment.copy(nodes[k], 0, data, Rows.FLOAT, 4L * k * dimension, dimension);
    }
    return new SoftmaxTree(words, tree, new Rows(data, null, nodes.length, dimension));
  }

  /**
   * The logarithm of a word's probability, whose negative is the loss in training.
   *
   * @throws IllegalArgumentException where the word is not there, or x has another length
   */
  public double logProbability(String word, float[] x) {
    int id = words.id(word);
    if (id < 0) {
      throw new IllegalArgumentException(
          format("'%s' is not among the %,d words of the vocabulary", word, words.size()));
    }
    check(x);
    double sum = 0;
    for (int i = tree.offsets()[id]; i < tree.offsets()[id + 1]; i++) {
      sum += branch(dot(tree.nodes()[i], x), tree.bits()[i]);
    }
    return sum;
  }

  /** All words with their probabilities: every inner node is evaluated. */
  public Reading exhaustive(float[] x) {
    double[] logs = logProbabilities(x);
    return reading(
        IntStream.range(0, logs.length).mapToObj(word -> new Path(logs[word], word)).toList(),
        nodes.count());
  }

  /** The word at the end of the path that takes the likelier branch at each inner node. */
  public Reading greedy(float[] x) {
    return beam(x, 1);
  }

  /**
   * The words at the end of the likeliest paths, of which so many are followed at a time.
   *
   * @throws IllegalArgumentException where the width is less than 1, or x has another length
   */
  public Reading beam(float[] x, int width) {
    check(x);
    if (width < 1) {
      throw new IllegalArgumentException(format("a beam is 1 or more paths wide, not %d", width));
    }
    int root = words.size() == 1 ? 0 : words.size() + tree.nodes()[0];
    List<Path> beam = List.of(new Path(0, root));
    int evaluated = 0;
    while (beam.stream().anyMatch(path -> path.end() >= words.size())) {
      List<Path> next = new ArrayList<>();
      for (Path path : beam) {
        if (path.end() < words.size()) {
          next.add(path);
          continue;
        }
        int node = path.end() - words.size();
        float z = dot(node, x);
        evaluated++;
        for (int bit = 0; bit < 2; bit++) {
          next.add(new Path(path.logProbability() + branch(z, bit), children[2 * node + bit]));
        }
      }
      next.sort(LIKELIEST);
      beam = next.subList(0, Math.min(width, next.size()));
    }
    return reading(beam, evaluated);
  }

  /** The logarithm of each word's probability. */
  double[] logProbabilities(float[] x) {
    check(x);
    float[] dots = nodes.dots(x);
    double[] logs = new double[words.size()];
    Arrays.setAll(
        logs,
        word -> {
          double sum = 0;
          for (int i = tree.offsets()[word]; i < tree.offsets()[word + 1]; i++) {
            sum += branch(dots[tree.nodes()[i]], tree.bits()[i]);
          }
          return sum;
        });
    return logs;
  }

  private Reading reading(List<Path> paths, int evaluated) {
    return new Reading(
        paths.stream()
            .sorted(LIKELIEST)
            .map(path -> new Prediction(words.word(path.end()), Math.exp(path.logProbability())))
            .toList(),
        evaluated);
  }

  private float dot(int node, float[] x) {
    float[] row = new float[nodes.dimension()];
    nodes.copy(node, row, 0);
    return Search.dot(x, row, 0);
  }

  private static double branch(float z, int bit) {
    return Float.isFinite(z) ? logSigmoid(bit == 0 ? z : -z) : Double.NEGATIVE_INFINITY;
  }

  /** log(1 / (1 + e^-z)), without overflow. */
  static double logSigmoid(double z) {
    return Math.min(0, z) - Math.log1p(Math.exp(-Math.abs(z)));
  }

  private void check(float[] x) {
    if (x.length != nodes.dimension()) {
      throw new IllegalArgumentException(
          format("vectors have %d numbers here, x has %d", nodes.dimension(), x.length));
    }
  }
}
