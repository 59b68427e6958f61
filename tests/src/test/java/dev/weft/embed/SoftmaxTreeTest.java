// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.text.HuffmanTree;
import dev.weft.text.Vocabulary;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SoftmaxTreeTest {
  private static final float[] ONE = {1};

  private static Vocabulary vocabulary(String... words) {
    return Vocabulary.of(
        List.of(words), IntStream.range(0, words.length).mapToLong(i -> 1L << (20 - i)).toArray());
  }

  /** A vector of one number, by which branch 0 has this probability at x = 1. */
  private static float[] logit(double probability) {
    return new float[] {(float) Math.log(probability / (1 - probability))};
  }

  /**
   * Each count is half of the one before, which makes a comb: a word at every inner node, two at
   * the last.
   */
  private static SoftmaxTree comb(double... inward) {
    Vocabulary words = vocabulary("the", "of", "natural", "speech", "language");
    HuffmanTree tree = HuffmanTree.of(words);
    float[][] nodes = new float[4][];
    for (int k = 0; k < 4; k++) {
      // the last word's path goes on at each node by its bit
      int bit = tree.bits()[tree.offsets()[4] + k];
      assertEquals(k, tree.nodes()[tree.offsets()[4] + k]);
      nodes[k] = logit(bit == 0 ? inward[k] : 1 - inward[k]);
    }
    return SoftmaxTree.of(words, tree, nodes);
  }

  /** The exercise of the lecture. */
  @Test
  void aPathHasTheProductOfItsBranches() {
    SoftmaxTree tree = comb(0.9, 0.95, 0.65, 0.2);
    double log = tree.logProbability("language", ONE);
    assertEquals(0.11115, Math.exp(log), 1e-6);
    assertEquals(2.1969, -log, 5e-5);
    assertEquals(0.9 * 0.95 * 0.65 * 0.8, Math.exp(tree.logProbability("speech", ONE)), 1e-6);
    assertEquals(0.1, Math.exp(tree.logProbability("the", ONE)), 1e-6);
  }

  @Test
  void eachWayGivesWordsWithTheirProbabilitiesAndSaysWhatItCost() {
    SoftmaxTree tree = comb(0.6, 0.9, 0.5, 0.55);
    SoftmaxTree.Reading all = tree.exhaustive(ONE);
    assertEquals(
        List.of("the", "natural", "language", "speech", "of"),
        all.words().stream().map(Prediction::word).toList());
    assertEquals(0.4, all.words().getFirst().probability(), 1e-6);
    assertEquals(1, all.words().stream().mapToDouble(Prediction::probability).sum(), 1e-6);
    assertEquals(4, all.nodes());
    // 0.6 leads away from 'the', the likeliest word
    SoftmaxTree.Reading one = tree.greedy(ONE);
    assertEquals("natural", one.words().getFirst().word());
    assertEquals(1, one.words().size());
    assertEquals(3, one.nodes());
    SoftmaxTree.Reading two = tree.beam(ONE, 2);
    assertEquals(all.words().subList(0, 2), two.words());
    assertEquals(3, two.nodes());
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 17, 200})
  void aBeamOfAllPathsIsExhaustive(int count) {
    SplittableRandom random = new SplittableRandom(count);
    String[] names = IntStream.range(0, count).mapToObj(i -> "w" + i).toArray(String[]::new);
    long[] counts = random.longs(count, 1, 1000).sorted().toArray();
    Vocabulary words = Vocabulary.of(List.of(names), counts);
    float[][] nodes = new float[count - 1][];
    for (int k = 0; k < nodes.length; k++) {
      nodes[k] = new float[] {(float) random.nextGaussian(), (float) random.nextGaussian()};
    }
    float[] x = {(float) random.nextGaussian(), (float) random.nextGaussian()};
    for (HuffmanTree form : List.of(HuffmanTree.of(words), HuffmanTree.balanced(count))) {
      SoftmaxTree tree = SoftmaxTree.of(words, form, nodes);
      SoftmaxTree.Reading all = tree.exhaustive(x);
      assertEquals(count, all.words().size());
      assertEquals(all, tree.beam(x, count));
      for (Prediction each : all.words()) {
        assertEquals(
            Math.log(each.probability()), tree.logProbability(each.word(), x), 1e-9, each.word());
      }
      double best = 0;
      for (int width = 1; width < count; width *= 2) {
        SoftmaxTree.Reading some = tree.beam(x, width);
        assertEquals(width, some.words().size());
        assertTrue(all.words().containsAll(some.words()), "true probabilities");
        int longest = longest(form);
        assertTrue(some.nodes() <= width * longest && some.nodes() < count, "at most that many");
        best = Math.max(best, some.words().getFirst().probability());
      }
      assertTrue(best <= all.words().getFirst().probability());
      Prediction greedy = tree.greedy(x).words().getFirst();
      int id = words.id(greedy.word());
      assertEquals(form.offsets()[id + 1] - form.offsets()[id], tree.greedy(x).nodes());
    }
  }

  private static int longest(HuffmanTree tree) {
    return IntStream.range(0, tree.size())
        .map(w -> tree.offsets()[w + 1] - tree.offsets()[w])
        .max()
        .orElseThrow();
  }

  @Test
  void whatIsNotFiniteMakesWordsImpossible() {
    Vocabulary words = vocabulary("a", "b", "c");
    float[][] nodes = {{0}, {Float.NaN}};
    SoftmaxTree tree = SoftmaxTree.of(words, HuffmanTree.of(words), nodes);
    assertEquals(
        List.of(new Prediction("a", 0.5), new Prediction("b", 0), new Prediction("c", 0)),
        tree.exhaustive(ONE).words());
    assertEquals(new Prediction("a", 0.5), tree.greedy(ONE).words().getFirst());
  }

  @Test
  void whatDoesNotFitIsRefused() {
    Vocabulary words = vocabulary("a", "b", "c");
    HuffmanTree tree = HuffmanTree.of(words);
    assertEquals(
        "3 words have a tree of 2 inner nodes; got a tree of 3 words and 1 vectors",
        assertThrows(
                IllegalArgumentException.class,
                () -> SoftmaxTree.of(words, tree, new float[][] {{1}}))
            .getMessage());
    SoftmaxTree right = SoftmaxTree.of(words, tree, new float[][] {{1}, {2}});
    assertEquals(
        "vectors have 1 numbers here, x has 2",
        assertThrows(IllegalArgumentException.class, () -> right.exhaustive(new float[2]))
            .getMessage());
    assertEquals(
        "a beam is 1 or more paths wide, not 0",
        assertThrows(IllegalArgumentException.class, () -> right.beam(ONE, 0)).getMessage());
    assertEquals(
        "'d' is not among the 3 words of the vocabulary",
        assertThrows(IllegalArgumentException.class, () -> right.logProbability("d", ONE))
            .getMessage());
  }
}
