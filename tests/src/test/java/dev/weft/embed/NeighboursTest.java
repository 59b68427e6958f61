// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.support.OnEachDevice;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Questions are answered as by hand, and as by sorting all cosines. */
class NeighboursTest {
  private static final Vectors FAMILY =
      Vectors.of(
          List.of("king", "queen", "man", "woman", "nothing", "apple", "broken"),
          new float[][] {
            {3, 0, 4}, {0, 3, 4}, {1, 0, 0}, {0, 2, 0}, {0, 0, 0}, {-1, -1, -1}, {Float.NaN, 1, 1}
          });

  private static Vectors random(int size, int dimension, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<String> words = new ArrayList<>();
    float[][] rows = new float[size][dimension];
    for (int i = 0; i < size; i++) {
      words.add("w" + i);
      for (int j = 0; j < dimension && i % 50 != 3; j++) {
        rows[i][j] = (float) random.nextGaussian();
      }
      if (i % 50 == 7) {
        rows[i] = rows[i - 1].clone(); // equal scores
      }
    }
    return Vectors.of(words, rows);
  }

  private static double cosine(float[] a, float[] b) {
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < a.length; i++) {
      ab += (double) a[i] * b[i];
      aa += (double) a[i] * a[i];
      bb += (double) b[i] * b[i];
    }
    return aa == 0 || bb == 0 ? Double.NaN : ab / Math.sqrt(aa * bb);
  }

  /** All cosines, sorted. */
  private static List<Neighbour> slow(Vectors vectors, float[] asked, int n, Set<String> without) {
    return IntStream.range(0, vectors.size())
        .mapToObj(i -> new Neighbour(vectors.word(i), cosine(asked, vectors.vector(i))))
        .filter(each -> !Double.isNaN(each.score()) && !without.contains(each.word()))
        .sorted(Comparator.comparingDouble(Neighbour::score).reversed())
        .limit(n)
        .toList();
  }

  private static void assertAgrees(List<Neighbour> expected, List<Neighbour> got) {
    assertEquals(expected.size(), got.size());
    for (int i = 0; i < got.size(); i++) {
      assertEquals(expected.get(i).score(), got.get(i).score(), 1e-5, got.toString());
      if (i > 0) {
        assertTrue(got.get(i - 1).score() >= got.get(i).score());
      }
    }
  }

  @Test
  void familiesAreAsByHand() {
    assertEquals(0.6, FAMILY.similarity("king", "man"), 1e-6);
    assertEquals(0.64, FAMILY.similarity("king", "queen"), 1e-6);
    assertEquals(5, FAMILY.norm("king"), 1e-6);
    assertEquals(
        List.of("queen", "man", "woman", "apple"),
        FAMILY.neighbours("king", 10).stream().map(Neighbour::word).toList());
    assertEquals(
        List.of("king", "queen"),
        FAMILY.neighbours(new float[] {1, 0, 4}, 2).stream().map(Neighbour::word).toList());
    assertEquals("apple", FAMILY.oddOneOut(List.of("king", "apple", "queen", "man")));
    // (0.6, 0, 0.8) and (0, 1, 0)
    assertArrayEquals(
        new float[] {0.3f, 0.5f, 0.4f}, FAMILY.mean(List.of("king", "woman", "nothing")), 1e-6f);
    assertArrayEquals(new float[3], FAMILY.mean(List.of()));
  }

  /** man : woman = king : ?, 3CosAdd: (-0.4, 1, 0.8), whose norm is sqrt 1.8. */
  @Test
  void analogiesAreAsByHand() {
    List<Neighbour> add = FAMILY.analogy("man", "woman", "king", 9);
    assertEquals(
        List.of("queen", "apple"), add.stream().map(Neighbour::word).toList(), "without the asked");
    assertEquals((0.6 + 0.64) / Math.sqrt(1.8), add.getFirst().score(), 1e-6);
    List<Neighbour> multiply = FAMILY.analogy("man", "woman", "king", 9, AnalogyScore.MULTIPLY);
    assertEquals("queen", multiply.getFirst().word());
    // cosines of queen: woman 0.6, king 0.64, man 0
    assertEquals(0.8 * 0.82 / (0.5 + 0.001), multiply.getFirst().score(), 1e-6);
    // a longer vector counts no more than a shorter one
    float[] sum = {0 - 1 + 3, 2, 4};
    assertTrue(Math.abs(cosine(sum, FAMILY.vector("queen")) - add.getFirst().score()) > 0.01);
  }

  @Test
  void whatPointsNowhereIsNeverNear() {
    for (String nowhere : List.of("nothing", "broken")) {
      assertEquals(List.of(), FAMILY.neighbours(nowhere, 3));
      assertEquals(0, FAMILY.similarity(nowhere, "king"));
      assertEquals(0, FAMILY.similarity(nowhere, nowhere));
    }
    assertEquals(List.of(), FAMILY.neighbours(new float[3], 3));
  }

  @Test
  void whatIsNotThereIsNamedWithWhatIsSpelledLikeIt() {
    assertRefused(
        "'kng' is not among the 7 words; spelled like it: king", () -> FAMILY.vector("kng"));
    assertRefused("spelled like it: queen", () -> FAMILY.neighbours("QUEEN", 1));
    assertRefused("spelled like it: man", () -> FAMILY.analogy("amn", "king", "queen", 1));
    assertRefused("'xyzzy' is not among the 7 words", () -> FAMILY.mean(List.of("xyzzy")));
    assertRefused("has 2, and norm 1.0", () -> FAMILY.neighbours(new float[] {1, 0}, 1));
    assertRefused("norm NaN", () -> FAMILY.neighbours(new float[] {Float.NaN, 0, 0}, 1));
    assertRefused("at least 1", () -> FAMILY.neighbours("king", 0));
    assertRefused(
        "three words or more, got 2 words", () -> FAMILY.oddOneOut(List.of("king", "man")));
  }

  private static void assertRefused(String words, org.junit.jupiter.api.function.Executable call) {
    String said = assertThrows(IllegalArgumentException.class, call).getMessage();
    assertTrue(said.contains(words), said);
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1", "7, 3, 10", "2047, 5, 4", "2049, 17, 30", "5000, 8, 5000"})
  void neighboursAreThoseOfSortingAllCosines(int size, int dimension, int n) {
    Vectors vectors = random(size, dimension, size);
    float[] asked = vectors.vector(size / 2);
    asked[0] += 0.25f;
    assertAgrees(slow(vectors, asked, n, Set.of()), vectors.neighbours(asked, n));
    String word = vectors.word(size / 2);
    assertAgrees(slow(vectors, vectors.vector(word), n, Set.of(word)), vectors.neighbours(word, n));
  }

  /** More rows than a block, more questions than a tile. */
  @OnEachDevice
  void manyQuestionsAreAnsweredAsOne(OnEachDevice.Place place) {
    Vectors vectors = random(2_500, 12, 4);
    List<String> words = IntStream.range(0, 300).mapToObj(i -> "w" + 7 * i).toList();
    float[][] asked = words.stream().map(vectors::vector).toArray(float[][]::new);
    try (Device device = place.open()) {
      List<List<Neighbour>> byWord = vectors.neighbours(device, words, 5);
      List<List<Neighbour>> byVector = vectors.neighbours(device, asked, 6);
      for (int i = 0; i < words.size(); i++) {
        assertAgrees(vectors.neighbours(words.get(i), 5), byWord.get(i));
        assertAgrees(vectors.neighbours(asked[i], 6), byVector.get(i));
      }
      assertEquals(List.of(), vectors.neighbours(device, List.<String>of(), 5));
      assertEquals(0, device.memory().live());
    }
  }

  /** Of equal scores the first row comes first, however the rows were looked through. */
  @Test
  void equalScoresComeInTheOrderOfTheWords() {
    List<String> words = IntStream.range(0, 10_000).mapToObj(i -> "w" + i).toList();
    float[][] rows = new float[10_000][2];
    for (int i = 0; i < rows.length; i++) {
      rows[i][i % 3 == 0 ? 0 : 1] = 1 << i % 5;
    }
    Vectors vectors = Vectors.of(words, rows);
    List<String> first = List.of("w3", "w6", "w9", "w12");
    List<Neighbour> alone = vectors.neighbours("w0", 4);
    assertEquals(first, alone.stream().map(Neighbour::word).toList());
    try (Device cpu = Device.cpu()) {
      assertEquals(List.of(alone), vectors.neighbours(cpu, List.of("w0"), 4));
    }
  }
}
