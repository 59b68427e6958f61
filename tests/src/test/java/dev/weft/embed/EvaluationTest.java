// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weft.Device;
import dev.weft.io.FormatException;
import dev.weft.support.OnEachDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Accuracies and correlations are as by hand, as compute-accuracy computes them, and gensim. */
class EvaluationTest {
  @TempDir Path folder;

  private Path write(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private static final Vectors FAMILY =
      Vectors.of(
          List.of("king", "queen", "Man", "woman", "nothing", "apple", "MAN", "boy", "girl"),
          new float[][] {
            {1, 0, 1},
            {0, 1, 1},
            {1, 0, 0},
            {0, 1, 0},
            {0, 0, 0},
            {-1, -1, -1},
            {0, 0, -1},
            {1, 0, -1},
            {0, 1, -2}
          });

  private static final String QUESTIONS =
      """
      : family
      man woman king queen
      man woman boy girl
      MAN Woman KING apple
      man woman king absent
      : nothing
      man nothing king queen

      : grammar
      king queen boy girl
      """;

  @OnEachDevice
  void accuraciesAreAsByHand(OnEachDevice.Place place) throws IOException {
    Analogies analogies = Analogies.read(write("q.txt", QUESTIONS));
    try (Device device = place.open()) {
      for (Analogies.Rule rule : Analogies.Rule.values()) {
        Analogies.Result result = analogies.evaluate(FAMILY, device, 100, rule, AnalogyScore.ADD);
        assertEquals(
            List.of(
                new Analogies.Section("family", 4, 3, 2),
                new Analogies.Section("nothing", 1, 1, 0),
                new Analogies.Section("grammar", 1, 1, 1)),
            result.sections());
        assertEquals(new Analogies.Section("total", 6, 5, 3), result.total());
        assertEquals(result.total().right(), result.semantic().right());
        assertEquals(0, result.syntactic().questions());
        assertEquals(0.6, result.total().accuracy());
        // with four rows neither boy nor nothing counts
        assertEquals(
            new Analogies.Section("total", 6, 1, 1),
            analogies.evaluate(FAMILY, device, 4, rule, AnalogyScore.MULTIPLY).total());
      }
    }
  }

  /** Rows "paris" and "Paris" are one word; only rows that were asked are no answers. */
  @Test
  void rowsThatDifferByCaseShowWhereTheRulesDiffer() throws IOException {
    List<String> words = List.of("a", "b", "c", "B", "d");
    float[][] rows = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {-1, 1, 1}, {-1, 1, 0.5f}};
    Analogies analogies = Analogies.read(write("q.txt", ": s\na b c d\n"));
    try (Device cpu = Device.cpu()) {
      Vectors vectors = Vectors.of(words, rows);
      assertEquals(0, right(analogies, vectors, cpu, Analogies.Rule.WORD2VEC), "B is best");
      assertEquals(1, right(analogies, vectors, cpu, Analogies.Rule.GENSIM), "B is b");
      Vectors opposite =
          Vectors.of(List.of("a", "b", "c", "d"), new float[][] {{1, 0}, {0, 1}, {1, 0}, {0, -1}});
      assertEquals(0, right(analogies, opposite, cpu, Analogies.Rule.WORD2VEC), "below 0");
      assertEquals(1, right(analogies, opposite, cpu, Analogies.Rule.GENSIM));
    }
  }

  private static int right(
      Analogies analogies, Vectors vectors, Device device, Analogies.Rule rule) {
    return analogies.evaluate(vectors, device, 100, rule, AnalogyScore.ADD).total().right();
  }

  /** compute-accuracy.c, line by line. */
  private static int[] computeAccuracy(Vectors vectors, List<String> lines, int threshold) {
    int words = Math.min(threshold, vectors.size());
    String[] upper = new String[words];
    double[][] m = new double[words][vectors.dimension()];
    for (int i = 0; i < words; i++) {
      upper[i] = vectors.word(i).toUpperCase(Locale.ROOT);
      float[] row = vectors.vector(i);
      double length = 0;
      for (float x : row) {
        length += x * (double) x;
      }
      for (int j = 0; j < row.length; j++) {
        m[i][j] = row[j] / Math.sqrt(length);
      }
    }
    List<String> all = List.of(upper);
    int asked = 0;
    int right = 0;
    for (String line : lines) {
      String[] w = line.toUpperCase(Locale.ROOT).split(" ");
      if (w[0].equals(":")) {
        continue;
      }
      int b1 = all.indexOf(w[0]);
      int b2 = all.indexOf(w[1]);
      int b3 = all.indexOf(w[2]);
      if (b1 < 0 || b2 < 0 || b3 < 0 || !all.contains(w[3])) {
        continue;
      }
      asked++;
      double best = 0;
      String answer = "";
      for (int c = 0; c < words; c++) {
        double distance = 0;
        for (int j = 0; j < vectors.dimension(); j++) {
          distance += (m[b2][j] - m[b1][j] + m[b3][j]) * m[c][j];
        }
        if (c != b1 && c != b2 && c != b3 && distance > best) {
          best = distance;
          answer = upper[c];
        }
      }
      right += answer.equals(w[3]) ? 1 : 0;
    }
    return new int[] {asked, right};
  }

  @Test
  void randomQuestionsAreCountedAsComputeAccuracyDoes() throws IOException {
    SplittableRandom random = new SplittableRandom(6);
    List<String> words = new ArrayList<>();
    float[][] rows = new float[400][3];
    for (int i = 0; i < 400; i++) {
      words.add(i % 4 == 0 ? "W" + i / 2 : i % 4 == 2 ? "w" + (i / 2 - 1) : "v" + i);
      for (int j = 0; j < 3; j++) {
        rows[i][j] = i == 77 ? 0 : (float) random.nextGaussian();
      }
    }
    StringBuilder text = new StringBuilder(": one\n");
    for (int i = 0; i < 2_000; i++) {
      for (int j = 0; j < 4; j++) {
        text.append(words.get(random.nextInt(400))).append(j < 3 ? " " : "\n");
      }
    }
    Vectors vectors = Vectors.of(words, rows);
    Analogies analogies = Analogies.read(write("q.txt", text.toString()));
    try (Device cpu = Device.cpu()) {
      for (int limit : new int[] {30, 150, 1000}) {
        Analogies.Section total =
            analogies
                .evaluate(vectors, cpu, limit, Analogies.Rule.WORD2VEC, AnalogyScore.ADD)
                .total();
        assertArrayEquals(
            computeAccuracy(vectors, text.toString().lines().toList(), limit),
            new int[] {total.asked(), total.right()});
      }
    }
  }

  @Test
  void wordPairsAreAsByHand() throws IOException {
    // cosines: king queen 0.5, king man 0.7071, man woman 0, queen woman 0.7071, king apple -0.8165
    Path path =
        write(
            "pairs.txt",
            "# a comment\nking\tqueen\t5\r\nKing\tman\t7\nman\twoman\t1\nqueen\twoman\t6\n"
                + "king\tapple\t1\nking\tabsent\t9\n");
    WordPairs.Result result = WordPairs.read(path).evaluate(FAMILY, 100);
    assertEquals(6, result.pairs());
    assertEquals(1, result.unseen());
    assertEquals(1 / 6.0, result.unseenShare());
    // ranks 3 5 1.5 4 1.5 against 3 4.5 2 4.5 1
    assertEquals(9 / 9.5, result.spearman(), 1e-6);
    double[] judged = {5, 7, 1, 6, 1};
    double half = Math.sqrt(0.5);
    double[] cosines = {0.5, half, 0, half, -2 / Math.sqrt(6)};
    assertEquals(WordPairs.pearson(judged, cosines), result.pearson(), 1e-6);
    assertEquals(4, WordPairs.read(path).evaluate(FAMILY, 3).unseen());
    assertEquals(
        result,
        WordPairs.read(write("s.txt", Files.readString(path).replace('\t', ' ')))
            .evaluate(FAMILY, 100));
  }

  @Test
  void ranksOfEqualValuesAreTheMeanOfTheirs() {
    assertArrayEquals(
        new double[] {4.5, 1, 2.5, 2.5, 4.5, 6}, WordPairs.ranks(new double[] {7, -1, 0, 0, 7, 9}));
    assertEquals(1, WordPairs.pearson(new double[] {1, 2, 3}, new double[] {10, 20, 30}), 1e-12);
    assertEquals(-1, WordPairs.pearson(new double[] {1, 2, 3}, new double[] {3, 2, 1}), 1e-12);
    assertTrue(Double.isNaN(WordPairs.pearson(new double[] {1, 1}, new double[] {3, 2})));
  }

  @Test
  void filesThatAreSomethingElseNameTheLine() throws IOException {
    assertFails("line 2: a question is four words, not 3", ": s\na b c\n");
    assertFails("line 1: the first line names a section", "a b c d\n");
    assertFails("no section", "");
    Path pairs = write("p.txt", "a b 1\na b c\n");
    assertTrue(
        assertThrows(FormatException.class, () -> WordPairs.read(pairs))
            .getMessage()
            .contains("line 2: two words and a number"));
  }

  private void assertFails(String words, String text) throws IOException {
    Path path = write("q.txt", text);
    String said = assertThrows(FormatException.class, () -> Analogies.read(path)).getMessage();
    assertTrue(said.contains(words), said);
  }

  private static Path data(String name) {
    String data = System.getenv("WEFT_DATA");
    assumeTrue(
        data != null && !data.isEmpty(), "WEFT_DATA is not set; it names the folder of real data");
    return Path.of(data).resolve(name);
  }

  @Test
  void theKnownFilesHaveTheirKnownSizes() throws IOException {
    Path questions = data("embeddings/questions-words.txt");
    try (Device cpu = Device.cpu()) {
      Analogies.Result result =
          Analogies.read(questions)
              .evaluate(FAMILY, cpu, 100, Analogies.Rule.WORD2VEC, AnalogyScore.ADD);
      assertEquals(14, result.sections().size());
      assertEquals(19_544, result.total().questions());
      assertEquals(8_869, result.semantic().questions());
      assertEquals(506, result.sections().getFirst().questions());
    }
    assertEquals(353, pairs("EN-WS-353-ALL.txt"));
    assertEquals(203, pairs("EN-WS-353-SIM.txt"));
    assertEquals(252, pairs("EN-WS-353-REL.txt"));
    assertEquals(3_000, pairs("EN-MEN-TR-3k.txt"));
  }

  private static int pairs(String name) throws IOException {
    return WordPairs.read(data("embeddings/" + name)).evaluate(FAMILY, 100).pairs();
  }

  /** The vectors of lee_fasttext know a few of the questions and pairs. */
  @ParameterizedTest
  @EnumSource(AnalogyScore.class)
  void numbersAreThoseOfGensim(AnalogyScore score) throws Exception {
    Path file = data("model-files/gensim/lee_fasttext.vec");
    Path questions = data("embeddings/questions-words.txt");
    Path pairs = data("embeddings/EN-MEN-TR-3k.txt");
    String program =
        """
        import sys
        from gensim.models import KeyedVectors
        k = KeyedVectors.load_word2vec_format(sys.argv[1])
        how = 'most_similar' if sys.argv[4] == 'ADD' else 'most_similar_cosmul'
        s, sections = k.evaluate_word_analogies(sys.argv[2], restrict_vocab=1500,
                                                similarity_function=how)
        t = sections[-1]
        print(len(t['correct']), len(t['correct']) + len(t['incorrect']))
        p, r, oov = k.evaluate_word_pairs(sys.argv[3])
        print('%.6f %.6f %.6f' % (p[0], r[0], oov / 100))
        """;
    String said = Gensim.run(program, file, questions, pairs, score).strip();
    try (Device cpu = Device.cpu();
        Vectors vectors = Vectors.open(file)) {
      Analogies.Section total =
          Analogies.read(questions)
              .evaluate(vectors, cpu, 1500, Analogies.Rule.GENSIM, score)
              .total();
      WordPairs.Result result = WordPairs.read(pairs).evaluate(vectors, 300_000);
      assertEquals(
          said,
          String.format(
              Locale.ROOT,
              "%d %d\n%.6f %.6f %.6f",
              total.right(),
              total.asked(),
              result.pearson(),
              result.spearman(),
              result.unseenShare()));
      assertTrue(total.asked() > 10, said);
    }
  }
}
