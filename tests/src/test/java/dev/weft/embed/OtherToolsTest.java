// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weft.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * gensim and the programs of word2vec.c read what is written here, and are read. Those programs run
 * where the environment variable WEFT_WORD2VEC names the folder that they were built in.
 */
class OtherToolsTest {
  private static final int WORDS = 400;
  private static final int NEIGHBOURS = 10;

  @TempDir Path folder;

  /** In upper case, as compute-accuracy has all words. */
  private static Vectors random(String letters) {
    SplittableRandom random = new SplittableRandom(21);
    List<String> words = new ArrayList<>();
    float[][] rows = new float[WORDS][12];
    for (int i = 0; i < WORDS; i++) {
      words.add(letters + i);
      for (int j = 0; j < rows[i].length; j++) {
        rows[i][j] = (float) random.nextGaussian();
      }
    }
    return Vectors.of(words, rows);
  }

  private static final List<Integer> ASKED = List.of(0, 7, 199, 399);

  /** Each line is a word and its cosine, for all words asked in turn. */
  private static void assertNeighbours(Vectors vectors, List<String> lines) {
    assertEquals(ASKED.size() * NEIGHBOURS, lines.size());
    int at = 0;
    for (int asked : ASKED) {
      for (Neighbour expected : vectors.neighbours(vectors.word(asked), NEIGHBOURS)) {
        String[] line = lines.get(at++).strip().split("\\s+");
        assertEquals(expected.word(), line[0]);
        assertEquals(expected.score(), Double.parseDouble(line[1]), 2e-6);
      }
    }
  }

  private static void assertSame(Vectors expected, Path path) throws IOException {
    try (Vectors read = Vectors.open(path)) {
      assertEquals(expected.size(), read.size());
      for (int i = 0; i < expected.size(); i++) {
        assertEquals(expected.word(i), read.word(i));
        assertArrayEquals(expected.vector(i), read.vector(i));
      }
    }
  }

  /** gensim's binary has no newlines between rows. */
  @Test
  void gensimReadsWhatIsWrittenAndIsRead() throws Exception {
    Vectors vectors = random("wörter-日本-");
    Path binary = folder.resolve("v.bin");
    Path text = folder.resolve("v.txt");
    vectors.write(binary, VectorFormat.WORD2VEC_BINARY);
    vectors.write(text, VectorFormat.WORD2VEC_TEXT);
    String said =
        Gensim.run(
            """
            import sys
            from gensim.models import KeyedVectors
            for path, binary in ((sys.argv[1], True), (sys.argv[2], False)):
                k = KeyedVectors.load_word2vec_format(path, binary=binary)
                for i in map(int, sys.argv[3].split()):
                    for word, score in k.most_similar(k.index_to_key[i], topn=10):
                        print('%s %.6f' % (word, score))
                k.save_word2vec_format(path + '.gensim', binary=binary)
            """,
            binary, text, ASKED.stream().map(String::valueOf).collect(Collectors.joining(" ")));
    List<String> lines = said.lines().toList();
    assertNeighbours(vectors, lines.subList(0, lines.size() / 2));
    assertNeighbours(vectors, lines.subList(lines.size() / 2, lines.size()));
    Path theirs = folder.resolve("v.bin.gensim");
    assertEquals(Files.size(binary) - WORDS, Files.size(theirs));
    assertSame(vectors, theirs);
    assertSame(vectors, folder.resolve("v.txt.gensim"));
  }

  private static Path program(String name) {
    String built = System.getenv("WEFT_WORD2VEC");
    assumeTrue(
        built != null && !built.isEmpty(),
        "WEFT_WORD2VEC is not set; it names the folder with word2vec.c's programs");
    Path program = Path.of(built, name);
    assumeTrue(Files.isExecutable(program), program + " is not there");
    return program;
  }

  /** What a program prints that reads {@code input}. */
  private String run(String input, Object... command) throws Exception {
    Path file = Files.writeString(folder.resolve("input"), input);
    Process process =
        new ProcessBuilder(Arrays.stream(command).map(Object::toString).toList())
            .redirectInput(file.toFile())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertEquals(0, process.waitFor(), said);
    return said;
  }

  @Test
  void computeAccuracyCountsAsIsCountedHere() throws Exception {
    Path program = program("compute-accuracy");
    Vectors vectors = random("W");
    Path binary = folder.resolve("v.bin");
    vectors.write(binary, VectorFormat.WORD2VEC_BINARY);
    SplittableRandom random = new SplittableRandom(4);
    StringBuilder text = new StringBuilder(": one\n");
    for (int i = 0; i < 3_000; i++) {
      int[] asked = random.ints(3, 0, WORDS + 20).toArray();
      String right = "W" + random.nextInt(WORDS);
      if (i % 3 == 0 && Arrays.stream(asked).max().orElseThrow() < WORDS) {
        right =
            vectors.analogy("W" + asked[0], "W" + asked[1], "W" + asked[2], 1).getFirst().word();
      }
      text.append(format("w%d W%d w%d %s\n", asked[0], asked[1], asked[2], right));
    }
    Analogies analogies = Analogies.read(Files.writeString(folder.resolve("q"), text));
    try (Device cpu = Device.cpu()) {
      for (int limit : new int[] {150, WORDS}) {
        Analogies.Section total =
            analogies
                .evaluate(vectors, cpu, limit, Analogies.Rule.WORD2VEC, AnalogyScore.ADD)
                .total();
        String said = run(text.toString(), program, binary, limit);
        String counts = format("(%d / %d)", total.right(), total.asked());
        assertTrue(said.contains(counts), counts + " is not in " + said);
        assertTrue(total.right() > 10, counts);
      }
    }
  }

  private static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }

  @Test
  void distancePrintsTheSameNeighbours() throws Exception {
    Path program = program("distance");
    Vectors vectors = random("w");
    Path binary = folder.resolve("v.bin");
    vectors.write(binary, VectorFormat.WORD2VEC_BINARY);
    String asked = ASKED.stream().map(i -> vectors.word(i) + "\n").collect(Collectors.joining());
    List<String> theirs =
        run(asked + "EXIT\n", program, binary)
            .lines()
            .filter(line -> line.matches("\\s+w\\d+\\t\\t\\S+"))
            .toList();
    int each = theirs.size() / ASKED.size();
    List<String> first = new ArrayList<>();
    for (int i = 0; i < ASKED.size(); i++) {
      first.addAll(theirs.subList(i * each, i * each + NEIGHBOURS));
    }
    assertNeighbours(vectors, first);
  }

  /** gensim #496, #466: word2vec.c cuts a word after 98 bytes, within a character. */
  @Test
  void wordsThatWord2vecCutAreReadCountedAndWritten() throws Exception {
    Path program = program("word2vec");
    String first = "a" + "ж".repeat(60);
    String second = "a" + "щ".repeat(60);
    Path text =
        Files.writeString(
            folder.resolve("text"), (first + " слово " + second + " words\n").repeat(200));
    for (String binary : List.of("0", "1")) {
      Path file = folder.resolve("v." + binary);
      run(
          "",
          program,
          "-train",
          text,
          "-output",
          file,
          "-binary",
          binary,
          "-size",
          5,
          "-min-count",
          1,
          "-iter",
          1,
          "-threads",
          1);
      try (Vectors vectors = Vectors.open(file)) {
        assertEquals(2, vectors.notUtf8(), "cut within a character");
        assertEquals(5, vectors.size());
        assertTrue(vectors.contains("слово") && vectors.contains("</s>"));
        List<String> words = new ArrayList<>();
        for (int i = 0; i < vectors.size(); i++) {
          words.add(vectors.word(i));
        }
        assertTrue(words.stream().anyMatch(word -> word.matches("aж+\uFFFD")), words.toString());
        Path copy = folder.resolve("copy.bin");
        vectors.write(copy, VectorFormat.WORD2VEC_BINARY);
        try (Vectors again = Vectors.open(copy)) {
          assertEquals(2, again.notUtf8());
          for (int i = 0; i < words.size(); i++) {
            assertEquals(words.get(i), again.word(i));
            assertArrayEquals(vectors.vector(i), again.vector(i));
          }
        }
      }
    }
  }
}
