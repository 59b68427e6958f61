// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.embed.VectorFormat;
import dev.weft.embed.Vectors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EmbedTrainTest {
  @TempDir Path folder;
  private Path text;

  @BeforeEach
  void write() throws IOException {
    text = folder.resolve("text.txt");
    Random random = new Random(1);
    String[] words = "red green blue one two three".split(" ");
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 600; i++) {
      for (int w = 0; w < 6; w++) {
        lines.append(words[3 * (i % 2) + random.nextInt(3)]).append(' ');
      }
      lines.append('\n');
    }
    Files.writeString(text, lines);
  }

  private Weft.Run train(Path output, Object... more) {
    List<Object> all =
        new ArrayList<>(List.of("embed", "train", "-train", text, "-output", output));
    all.addAll(List.of(more));
    return Weft.run(all.toArray());
  }

  @ParameterizedTest
  @CsvSource({
    "v.bin, -cbow 0, WORD2VEC_BINARY",
    "v.txt, -cbow 0 -hs 1 -negative 0, WORD2VEC_TEXT",
    "v.vectors, -binary 1 --cbow 1 --sharing 0, WORD2VEC_BINARY",
    "v, -hs 1 -negative 0, WORD2VEC_TEXT",
    "v, -hs 0 -negative 5, WORD2VEC_TEXT",
    "v, -cbow 0 --full-softmax, WORD2VEC_TEXT",
    "v.txt, -cbow 0 -hs 1 --tree balanced, WORD2VEC_TEXT"
  })
  void vectorsAreTrainedUnderTheOptionsOfWord2vec(String name, String more, VectorFormat format)
      throws IOException {
    Path output = folder.resolve(name);
    List<Object> options = new ArrayList<>(List.of(more.split(" ")));
    options.addAll(List.of("-size", 12, "-sample", 0, "-alpha", 0.1, "-iter", 30, "--in-order"));
    String out = train(output, options.toArray()).succeeded().out();
    assertTrue(out.contains("3,600 words of 6 types, 3,600 kept, 600 sentences"), out);
    assertTrue(out.contains("wrote 6 vectors of 12 to "), out);
    try (Vectors vectors = Vectors.open(output, format)) {
      assertEquals(12, vectors.dimension());
      double same = vectors.similarity("red", "blue");
      double other = vectors.similarity("red", "two");
      assertTrue(same > other + 0.2, same + " and " + other);
    }
  }

  @Test
  void inOrderTheFileIsTheSame() throws IOException {
    Path first = folder.resolve("a.bin");
    Path second = folder.resolve("b.bin");
    train(first, "--in-order", "-threads", 1).succeeded();
    train(second, "--in-order").succeeded();
    assertArrayEquals(Files.readAllBytes(first), Files.readAllBytes(second));
    Path other = folder.resolve("c.bin");
    train(other, "--in-order", "--seed", 2).succeeded();
    assertFalse(Arrays.equals(Files.readAllBytes(first), Files.readAllBytes(other)));
  }

  @Test
  void deterministicTheFileIsTheSameForAnyNumberOfThreads() throws IOException {
    Path first = folder.resolve("a.bin");
    train(first, "--deterministic", "-threads", 1).succeeded();
    for (int threads : new int[] {2, 7}) {
      Path other = folder.resolve("b.bin");
      train(other, "--deterministic", "-threads", threads).succeeded();
      assertEquals(-1, Files.mismatch(first, other));
    }
    train(first, "--deterministic", "--in-order").failed(Main.WRONG_USE, "mutually exclusive");
  }

  @Test
  void aVocabularyIsSavedAndTaken() throws IOException {
    Path vocabulary = folder.resolve("words.txt");
    train(folder.resolve("v.bin"), "-save-vocab", vocabulary).succeeded();
    assertTrue(Files.readString(vocabulary).contains("red "), Files.readString(vocabulary));
    Files.writeString(vocabulary, "red 100\none 90\n");
    Path output = folder.resolve("w.bin");
    train(output, "-read-vocab", vocabulary).succeeded();
    try (Vectors vectors = Vectors.open(output)) {
      assertEquals(2, vectors.size());
    }
  }

  @Test
  void treesDiffer() throws IOException {
    Files.writeString(text, Files.readString(text).replace("two", "one").replace("three", "one"));
    List<byte[]> files = new ArrayList<>();
    for (String tree : List.of("huffman", "balanced")) {
      Path output = folder.resolve(tree + ".bin");
      train(output, "-hs", 1, "--tree", tree, "--in-order").succeeded();
      files.add(Files.readAllBytes(output));
    }
    assertFalse(Arrays.equals(files.getFirst(), files.getLast()));
  }

  @ParameterizedTest
  @CsvSource({
    "-hs 1 -negative 5, '-negative is about noise words, and -hs 1 has none'",
    "-hs 1 --sharing 8, '--sharing is about noise words, and -hs 1 has none'",
    "--full-softmax --noise-power 1, '--noise-power is about noise words, and --full-softmax'",
    "-hs 1 --full-softmax, two objectives",
    "-hs 0 -negative 0, is no objective: give -hs 1",
    "-negative 5 --tree balanced, '--tree is for -hs 1, and has no effect without it'",
    "-hs 1 --tree oak, 'use huffman, balanced'"
  })
  void anOptionWithoutEffectIsRefused(String more, String words) {
    Path output = folder.resolve("v.bin");
    Weft.Run run = train(output, (Object[]) more.split(" ")).failed(Main.WRONG_USE, words);
    assertEquals("", run.out(), "nothing was begun");
  }

  @Test
  void lettersBecomeAlike() throws IOException {
    Files.writeString(text, "Cafe\u0301 caf\u00E9 CAF\u00C9 tea\n".repeat(9));
    Path output = folder.resolve("v.bin");
    train(output, "--lower-case", "--normalization", "nfc", "-sample", 0).succeeded();
    try (Vectors vectors = Vectors.open(output)) {
      assertEquals(2, vectors.size());
      assertTrue(vectors.contains("caf\u00E9"));
    }
  }

  /** White space to other tools, which no word of a text has, but perhaps one of a list. */
  @ParameterizedTest
  @ValueSource(strings = {"\u00A0", "\u0085", "\u3000", "\u2009"})
  void wordsThatTheFileCannotHoldAreRefusedBeforeTraining(String space) throws IOException {
    Path words = folder.resolve("words");
    Files.writeString(words, "red 100\none 90\nnew" + space + "york 7\n");
    Path output = folder.resolve("v.txt");
    Weft.Run run =
        train(output, "-read-vocab", words)
            .failed(
                Main.WRONG_USE,
                "word2vec text cannot hold words that are empty or hold white space",
                String.format(Locale.ROOT, "'new\\u%04Xyork'", (int) space.charAt(0)),
                "; word2vec binary or safetensors or npy can; nothing was written");
    assertFalse(run.out().contains("loss"), "nothing was trained");
    assertFalse(Files.exists(output));
    train(folder.resolve("v.safetensors"), "-read-vocab", words).succeeded();
  }

  @Test
  void bothFilesOfAMatrixAreLookedAtBeforeTraining() throws IOException {
    Path vocabulary = Files.createDirectory(folder.resolve("v.vocab"));
    Weft.Run run = train(folder.resolve("v.npy")).failed(Main.FAILURE, vocabulary.toString());
    assertEquals("", run.out(), "nothing was begun");
    Files.delete(vocabulary);
    train(folder.resolve("v.npy"), "-save-vocab", vocabulary).failed(2, "name another one");
    train(folder.resolve("v.npy")).succeeded();
    assertTrue(Files.exists(vocabulary));
  }

  /** Few words, all of which are frequent. */
  @Test
  void aReadingInWhichAllIsThinnedHasNoLoss() throws IOException {
    Files.writeString(text, "the cat sat on the mat the dog sat on the rug the cat saw the dog\n");
    Weft.Run run = train(folder.resolve("v"), "-min-count", 1, "-iter", 9);
    String out = run.succeeded().out();
    assertTrue(out.contains("  loss -  rate ") && !out.contains("NaN"), out);
  }

  @Test
  void vectorsAreNoModel() throws IOException {
    Path vectors = folder.resolve("v.bin");
    train(vectors).succeeded();
    String words = "word vectors alone, as word2vec binary: a model, which also has";
    Weft.run("embed", "predict", vectors, "--word", "red").failed(1, words);
    Weft.run("embed", "resume", vectors, "-train", text, "-output", text).failed(1, words);
  }

  @Test
  void whatCannotBeIsSaidBeforeTheWork() throws IOException {
    Path output = folder.resolve("v.bin");
    train(output, "-cbow", 2).failed(2, "-cbow is 0 or 1, not 2");
    train(output, "-binary", 0).failed(2, "-binary 0 and the ending of -output " + output);
    train(folder.resolve("v.vec"), "-binary", 1).failed(2, "say different formats");
    train(output, "-window", 0).failed(2, "the window is 0, expected 1 to 64");
    train(output, "-min-count", 5000).failed(1, "no word occurs 5,000 times, the min-count");
    Files.writeString(text, "so so so so so so\n");
    train(output).failed(2, "'so' is the vocabulary's only word");
    Files.writeString(text, "one\ntwo\n".repeat(9));
    train(output).failed(1, "no word of the text has another one around it");
    Files.writeString(text, "so do so do\n".repeat(9));
    train(output).failed(1, "thinned, none at a sample of 0");
    Files.writeString(text, "one\ntwo\n".repeat(9));
    Path words = Files.writeString(folder.resolve("words"), "one 9\ntwo 9\n");
    train(output, "-read-vocab", words, "-min-count", 2).failed(2, "-min-count has no effect");
    train(output, "-read-vocab", Files.writeString(words, "one\ntwo\n")).failed(2, "no counts");
    Files.writeString(text, "");
    train(output).failed(1, text.toString());
    train(Path.of("-")).failed(2, "-output -: a file is written, not standard output");
    Path nowhere = folder.resolve("none").resolve("v.bin");
    train(nowhere).failed(1, nowhere.toString());
    assertFalse(Files.exists(output), "nothing was written");
  }
}
