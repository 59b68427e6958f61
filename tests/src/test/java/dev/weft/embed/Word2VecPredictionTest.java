// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.text.Corpus;
import dev.weft.text.HuffmanTree;
import dev.weft.text.TextReader;
import dev.weft.text.Vocabulary;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class Word2VecPredictionTest {
  private static Word2Vec form(String name) {
    Word2Vec model = name.startsWith("cbow") ? Word2Vec.cbow() : Word2Vec.skipGram();
    return (name.endsWith("tree")
            ? model.hierarchicalSoftmax()
            : name.endsWith("full") ? model.fullSoftmax() : model)
        .dimension(16)
        .window(1)
        .sample(0)
        .rate(0.05)
        .epochs(30)
        .inOrder();
  }

  private static Word2VecModel train(Word2Vec settings, String text) {
    try (Device device = Device.cpu();
        Corpus corpus =
            TextReader.lines()
                .read(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
        Word2VecTraining training = settings.start(device, corpus)) {
      training.finish();
      return training.model();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static Map<String, Double> map(List<Prediction> predictions) {
    Map<String, Double> probabilities = new HashMap<>();
    predictions.forEach(each -> probabilities.put(each.word(), each.probability()));
    return probabilities;
  }

  /** Pairs of words, of which some like each other; the second words follow the first one's. */
  private static List<String[]> pairs() {
    SplittableRandom random = new SplittableRandom(7);
    return random
        .ints(20_000, 0, 6)
        .mapToObj(
            first -> {
              int second =
                  random.nextInt(3) == 0
                      ? random.nextInt(6)
                      : (int) (6 * Math.pow(random.nextDouble(), 3));
              return new String[] {"w" + (first * second % 6), "w" + second};
            })
        .toList();
  }

  /** The largest difference of predictions from what the pairs have. */
  private static double error(Word2VecModel model, List<String[]> pairs) {
    double error = 0;
    for (int x = 0; x < 6; x++) {
      String word = "w" + x;
      Map<String, Integer> near = new HashMap<>();
      int total = 0;
      for (String[] pair : pairs) {
        for (int i = 0; i < 2; i++) {
          if (pair[i].equals(word)) {
            near.merge(pair[1 - i], 1, Integer::sum);
            total++;
          }
        }
      }
      Map<String, Double> predicted = map(model.near(word, 100));
      assertEquals(6, predicted.size());
      assertEquals(1, predicted.values().stream().mapToDouble(p -> p).sum(), 1e-9);
      for (int w = 0; w < 6; w++) {
        double counted = (double) near.getOrDefault("w" + w, 0) / total;
        error = Math.max(error, Math.abs(counted - predicted.get("w" + w)));
      }
    }
    return error;
  }

  private static String text(List<String[]> sentences) {
    StringBuilder text = new StringBuilder();
    sentences.forEach(words -> text.append(String.join(" ", words)).append('\n'));
    return text.toString();
  }

  @ParameterizedTest
  @ValueSource(strings = {"pairs", "pairs tree", "pairs full", "cbow", "cbow tree", "cbow full"})
  void probabilitiesAreThoseOfTheText(String name) {
    List<String[]> pairs = pairs();
    Word2VecModel model = train(form(name), text(pairs));
    double error = error(model, pairs);
    assertTrue(error < 0.015, "the largest error is " + error);
  }

  /** The softmax of negative sampling's scores is not P(w | x): the noise is missing in it. */
  @Test
  void withoutTheNoiseTheyAreNot() {
    List<String[]> pairs = pairs();
    Word2VecModel model = train(form("pairs"), text(pairs));
    Word2VecModel plain =
        new Word2VecModel(
            model.settings().fullSoftmax(),
            model.vocabulary(),
            model.input(),
            model.output(),
            null,
            model.position(),
            Arena.ofShared());
    double error = error(plain, pairs);
    assertTrue(error > 0.1, "the largest error is " + error);
  }

  /** Sentences c w d, in which c and d are drawn by w alone. */
  @ParameterizedTest
  @ValueSource(strings = {"pairs", "pairs tree", "pairs full", "cbow", "cbow tree", "cbow full"})
  void severalWordsAroundAreTakenTogether(String name) {
    double[] prior = {0.6, 0.25, 0.15};
    double[][] given = {{0.7, 0.2, 0.1}, {0.3, 0.3, 0.4}, {0.1, 0.6, 0.3}};
    SplittableRandom random = new SplittableRandom(5);
    List<String[]> sentences =
        random
            .doubles(20_000)
            .mapToObj(
                u -> {
                  int w = draw(prior, u);
                  return new String[] {
                    "c" + draw(given[w], random.nextDouble()),
                    "w" + w,
                    "c" + draw(given[w], random.nextDouble())
                  };
                })
            .toList();
    Word2VecModel model = train(form(name), text(sentences));
    double error = 0;
    for (int c = 0; c < 3; c++) {
      for (int d = 0; d < 3; d++) {
        Map<String, Double> predicted = map(model.predict(List.of("c" + c, "c" + d), 100));
        double total = 0;
        for (int w = 0; w < 3; w++) {
          total += prior[w] * given[w][c] * given[w][d];
        }
        for (int w = 0; w < 3; w++) {
          double expected = prior[w] * given[w][c] * given[w][d] / total;
          error = Math.max(error, Math.abs(expected - predicted.get("w" + w)));
        }
      }
    }
    assertTrue(error < 0.07, "the largest error is " + error);
  }

  private static int draw(double[] probabilities, double u) {
    return u < probabilities[0] ? 0 : u < probabilities[0] + probabilities[1] ? 1 : 2;
  }

  /** Words a, b and zero with counts 16, 1, 1, and vectors of one number. */
  private static Word2VecModel small(Word2Vec settings, @Nullable HuffmanTree tree, float... c) {
    Vocabulary words = Vocabulary.of(List.of("a", "b", "zero"), 16, 1, 1);
    return new Word2VecModel(
        settings.dimension(1).sample(0),
        words,
        MemorySegment.ofArray(new float[] {1, 2, 0}),
        MemorySegment.ofArray(c),
        tree,
        new Word2VecModel.Position(18, 18, 0, TextReader.lines()),
        Arena.ofShared());
  }

  /** k = 3, power 0.75: n = 8/10, 1/10, 1/10. */
  @Test
  void probabilitiesAreTheFormulas() {
    double[] scores = {Math.exp(2 * 0.5), Math.exp(2 * -1), Math.exp(0)};
    Word2VecModel full = small(Word2Vec.skipGram().fullSoftmax(), null, 0.5f, -1, 0);
    double sum = scores[0] + scores[1] + scores[2];
    List<Prediction> near = full.near("b", 2);
    assertEquals(List.of("a", "zero"), near.stream().map(Prediction::word).toList());
    assertEquals(scores[0] / sum, near.getFirst().probability(), 1e-6);
    Word2VecModel sampled = small(Word2Vec.skipGram().negatives(3), null, 0.5f, -1, 0);
    double[] odds = {scores[0] * 3 * 0.8, scores[1] * 3 * 0.1, scores[2] * 3 * 0.1};
    double total = 0;
    for (double each : odds) {
      total += each / (1 + each);
    }
    Map<String, Double> found = map(sampled.near("b", 3));
    assertEquals(odds[0] / (1 + odds[0]) / total, found.get("a"), 1e-6);
    assertEquals(odds[1] / (1 + odds[1]) / total, found.get("b"), 1e-6);
    assertEquals(full.near("b", 3), full.predict(List.of("b"), 3));
  }

  @Test
  void aVectorOfZerosIsNone() {
    HuffmanTree tree = HuffmanTree.of(16, 1, 1);
    for (Word2Vec form : List.of(Word2Vec.skipGram(), Word2Vec.cbow())) {
      Word2VecModel full = small(form.fullSoftmax(), null, 0.5f, -1, 0);
      assertEquals(List.of(), full.near("zero", 3));
      assertEquals(full.near("b", 3), full.predict(List.of("zero", "b"), 3));
      Word2VecModel paths = small(form.hierarchicalSoftmax(), tree, 0.5f, -1);
      assertEquals(List.of(), paths.near("zero", 3));
      assertEquals(List.of(), paths.beam(List.of("zero"), 3).words());
      Word2VecModel broken = small(form.fullSoftmax(), null, Float.NaN, -1, 0);
      assertEquals(2, broken.near("b", 3).size(), "a word without a number is no answer");
    }
  }

  @Test
  void aTreeIsReadByBeamsOfAnyWidth() {
    HuffmanTree tree = HuffmanTree.of(16, 1, 1);
    Word2VecModel cbow = small(Word2Vec.cbow().hierarchicalSoftmax(), tree, 0.5f, -1);
    List<String> around = List.of("a", "b");
    SoftmaxTree.Reading all = cbow.beam(around, 3);
    assertEquals(cbow.predict(around, 3), all.words());
    assertEquals(2, all.nodes());
    assertEquals(all.words().subList(0, 1), cbow.beam(around, 1).words());
    Word2VecModel pairs = small(Word2Vec.skipGram().hierarchicalSoftmax(), tree, 0.5f, -1);
    assertEquals(pairs.near("b", 3), pairs.beam(List.of("b"), 3).words());
    assertEquals(
        "skip-gram's tree is read for one word, not for 2: ask for all words",
        assertThrows(IllegalArgumentException.class, () -> pairs.beam(around, 3)).getMessage());
    Word2VecModel sampled = small(Word2Vec.cbow(), null, 0.5f, -1, 0);
    assertEquals(
        "a beam reads a hierarchical softmax; this model has negative sampling",
        assertThrows(IllegalStateException.class, () -> sampled.beam(around, 3)).getMessage());
  }

  @Test
  void bothMatricesAndTheirSumAreVectors() {
    Word2VecModel model = small(Word2Vec.skipGram(), null, 0.5f, -1, 4);
    assertArrayEquals(new float[] {2}, model.vectors().vector("b"));
    assertArrayEquals(new float[] {-1}, model.contextVectors().vector("b"));
    assertArrayEquals(new float[] {1}, model.sum().vector("b"));
    assertEquals(16, model.sum().count("a").orElseThrow());
    HuffmanTree tree = HuffmanTree.of(16, 1, 1);
    Word2VecModel paths = small(Word2Vec.skipGram().hierarchicalSoftmax(), tree, 0.5f, -1);
    assertEquals(3, paths.vectors().size());
    for (Runnable wrong : List.<Runnable>of(paths::contextVectors, paths::sum)) {
      String message = assertThrows(IllegalStateException.class, wrong::run).getMessage();
      assertTrue(message.startsWith("words have no context vectors in a hier"), message);
    }
  }

  @Test
  void whatCannotBeAskedIsSaid() {
    Word2VecModel model = small(Word2Vec.skipGram(), null, 0.5f, -1, 4);
    assertEquals(
        "the word 'A' is not among the 3 words; spelled like it: a, b",
        assertThrows(IllegalArgumentException.class, () -> model.near("A", 3)).getMessage());
    assertEquals(
        "no word around the place is given",
        assertThrows(IllegalArgumentException.class, () -> model.predict(List.of(), 3))
            .getMessage());
    assertEquals(
        "at least 1 word is asked for, not 0",
        assertThrows(IllegalArgumentException.class, () -> model.near("a", 0)).getMessage());
  }
}
