// SPDX-License-Identifier: Apache-2.0
package dev.weft.text;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PhrasesTest {
  @TempDir Path folder;

  private static Corpus read(String text) throws IOException {
    return TextReader.lines().read(new ByteArrayInputStream(text.getBytes(UTF_8)));
  }

  private static String joined(Phrases phrases, String text) throws IOException {
    try (Corpus corpus = read(text);
        Corpus joined = phrases.join(corpus)) {
      return CorpusTest.words(joined);
    }
  }

  /** n = 10, count(a) = 3, count(b) = 3, count(a b) = 2: the score is (2 - 1) / 9 * 10 = 1.11. */
  @Test
  void pairsAboveTheThresholdAreJoined() throws IOException {
    String text = "a b c a b\nd b a\nd e\n";
    Phrases phrases = Phrases.threshold(1.11).discount(1);
    assertEquals("a_b c a_b | d b a | d e |", joined(phrases, text));
    assertEquals("a b c a b | d b a | d e |", joined(Phrases.threshold(1.12).discount(1), text));
    assertEquals("a b c a b | d b a | d e |", joined(phrases.discount(2), text));
  }

  @Test
  void countsAndIdsAreThoseOfTheJoinedText() throws IOException {
    try (Corpus corpus = read("x y x y\nz x y z\nx_y z\n");
        Corpus joined = Phrases.threshold(1).discount(1).join(corpus)) {
      assertEquals("x_y x_y | z x_y z | x_y z |", CorpusTest.words(joined));
      assertEquals(List.of("x_y", "z"), VocabularyTest.words(joined.vocabulary()));
      assertEquals(4, joined.vocabulary().count(0));
      assertEquals(7, joined.report().kept());
      assertEquals(3, joined.report().sentences());
      assertEquals("x y x y | z x y z | x_y z |", CorpusTest.words(corpus));
      Path text = folder.resolve("joined");
      joined.write(text);
      try (Corpus again = joined.reader().read(text)) {
        assertEquals(joined.checksum(), again.checksum());
      }
    }
  }

  /**
   * Of three words that would be joined in pairs the first two are; no sentence's end is crossed.
   */
  @Test
  void wordsAreJoinedFromLeftToRightAndInLaterPassesToPhrases() throws IOException {
    String text = "a b c\nq\na b c\nr s t u v w x y z\n";
    Phrases phrases = Phrases.threshold(2).discount(1);
    assertEquals("a_b c | q | a_b c | r s t u v w x y z |", joined(phrases, text));
    assertEquals("a_b_c | q | a_b_c | r s t u v w x y z |", joined(phrases.passes(2), text));
    assertEquals(
        "a | b | a | b | a | b |", joined(Phrases.threshold(0).discount(0), "a\nb\na\nb\na\nb"));
  }

  /** Of at most 4 pairs the rarest are forgotten: those that were seen once. */
  @Test
  void rarePairsAreForgottenWhereThereAreTooMany() throws IOException {
    String text = "a b\na b\na b\nc d\ne f\ng h\ni j\nc d\n";
    Phrases phrases = Phrases.threshold(0).discount(1);
    assertEquals("a_b | a_b | a_b | c_d | e f | g h | i j | c_d |", joined(phrases, text));
    assertEquals(
        "a_b | a_b | a_b | c d | e f | g h | i j | c d |", joined(phrases.countedPairs(4), text));
  }

  @Test
  void randomTextsAreJoinedAsTheFormulaSays() throws IOException {
    for (int seed = 0; seed < 20; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      StringBuilder text = new StringBuilder();
      for (int i = 0; i < 3_000; i++) {
        int word = (int) Math.pow(40, random.nextDouble());
        text.append(word)
            .append(word == 7 ? " seven" : "")
            .append(random.nextInt(9) == 0 ? "\n" : " ");
      }
      assertEquals(
          expected(text.toString(), 1.5, 3),
          joined(Phrases.threshold(1.5).discount(3), text.toString()),
          "seed " + seed);
    }
  }

  private static String expected(String text, double threshold, int discount) {
    Map<String, Integer> counts = new HashMap<>();
    List<String[]> lines =
        Stream.of(text.split("\n"))
            .map(String::strip)
            .filter(line -> !line.isEmpty())
            .map(line -> line.split(" "))
            .toList();
    for (String[] line : lines) {
      for (int i = 0; i < line.length; i++) {
        counts.merge(line[i], 1, Integer::sum);
        counts.merge("", 1, Integer::sum);
        if (i > 0) {
          counts.merge(line[i - 1] + " " + line[i], 1, Integer::sum);
        }
      }
    }
    StringBuilder joined = new StringBuilder();
    for (String[] line : lines) {
      for (int i = 0; i < line.length; i++) {
        double score =
            i + 1 == line.length
                ? 0
                : ((double) counts.get(line[i] + " " + line[i + 1]) - discount)
                    / counts.get(line[i])
                    / counts.get(line[i + 1])
                    * counts.get("");
        joined.append(line[i]).append(score > threshold ? "_" + line[++i] : "").append(' ');
      }
      joined.append("| ");
    }
    return joined.toString().strip();
  }

  @Test
  void temporaryFilesAreGoneAndTheCorpusIsLeftAsItWas() throws IOException {
    try (Corpus corpus = read("a b a b\n")) {
      Phrases phrases = Phrases.threshold(0.1).discount(0).passes(3).folder(folder);
      phrases.join(corpus).close();
      try (Stream<Path> left = Files.list(folder)) {
        assertEquals(List.of(), left.toList());
      }
      assertEquals(
          "[0, 1, 0, 1, -1]", Arrays.toString(corpus.tokens().toArray(ValueLayout.JAVA_INT)));
    }
  }

  @Test
  void settingsOutOfRangeAreRefused() {
    Phrases phrases = Phrases.threshold(100);
    assertThrows(IllegalArgumentException.class, () -> Phrases.threshold(Double.NaN));
    assertThrows(IllegalArgumentException.class, () -> phrases.discount(-1));
    assertThrows(IllegalArgumentException.class, () -> phrases.passes(0));
    assertThrows(IllegalArgumentException.class, () -> phrases.countedPairs(3));
  }
}
