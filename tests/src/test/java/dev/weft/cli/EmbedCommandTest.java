// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.embed.VectorFormat;
import dev.weft.embed.Vectors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EmbedCommandTest {
  @TempDir Path folder;
  private Path vectors;

  @BeforeEach
  void write() throws IOException {
    vectors = folder.resolve("family.txt");
    Files.writeString(
        vectors,
        """
        6 3
        king 3 0 4
        queen 0 3 4
        man 1 0 0
        woman 0 2 0
        nothing 0 0 0
        apple -1 -1 -1
        """);
  }

  private Weft.Run embed(String command, Object... more) {
    Object[] all = new Object[more.length + 3];
    all[0] = "embed";
    all[1] = command;
    all[2] = vectors;
    System.arraycopy(more, 0, all, 3, more.length);
    return Weft.run(all);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "train",
        "vocab",
        "phrases",
        "predict",
        "neighbours",
        "analogy",
        "similarity",
        "odd",
        "evaluate",
        "convert"
      })
  void helpHasAnExample(String command) {
    String help = Weft.run("embed", command, "--help").succeeded().out();
    assertTrue(help.contains("Examples:"), help);
    assertTrue(help.contains("  weft embed " + command + " "), help);
    assertTrue(help.lines().allMatch(line -> line.length() <= 80), help);
  }

  @Test
  void questionsAreAnswered() {
    assertEquals(
        "0.640000  queen\n0.600000  man\n",
        embed("neighbours", "king", "--n", 2).succeeded().out());
    assertEquals(
        "0.424264  king\n0.424264  queen\n",
        embed("neighbours", "man", "woman", "--n", 2).succeeded().out());
    int most = Integer.MAX_VALUE;
    assertEquals(4, embed("neighbours", "king", "-n", most).succeeded().out().lines().count());
    assertTrue(embed("analogy", "man", "woman", "king").succeeded().out().startsWith("0.92424"));
    assertTrue(
        embed("analogy", "man", "woman", "king", "--score", "multiply")
            .succeeded()
            .out()
            .startsWith("1.309381  queen\n"));
    assertEquals("0.600000\n", embed("similarity", "king", "man").succeeded().out());
    assertEquals("apple\n", embed("odd", "king", "apple", "queen").succeeded().out());
    assertTrue(embed("neighbours", "nothing").succeeded().out().startsWith("none: "));
  }

  @Test
  void whatIsNotThereIsNamed() throws IOException {
    embed("neighbours", "kin").failed(Main.WRONG_USE, "'kin' is not among the 6 words", "king");
    embed("analogy", "man", "woman").failed(Main.WRONG_USE, "'C'");
    embed("odd", "king", "man").failed(Main.WRONG_USE);
    embed("neighbours", "king", "--n", 0).failed(Main.WRONG_USE, "--n must be at least 1");
    embed("analogy", "man", "woman", "king", "--n", 0).failed(Main.WRONG_USE, "at least 1");
    embed("similarity", "king", "man", "--format", "glove").failed(Main.FAILURE, "word2vec text");
    embed("similarity", "king", "man", "--format", "text")
        .failed(Main.WRONG_USE, "use word2vec_text");
    Weft.run("embed").failed(Main.WRONG_USE, "say what to do: train, resume, extend, vocab");
    Weft.run("embed", "neighbours", folder.resolve("absent"), "king")
        .failed(Main.FAILURE, "there is no such file");
  }

  @Test
  void evaluationPrintsWhatWasRight() throws IOException {
    Path questions = folder.resolve("q.txt");
    Files.writeString(questions, ": family\nman woman king queen\nman woman king absent\n");
    Path pairs = folder.resolve("p.txt");
    Files.writeString(pairs, "king queen 9\nking man 8\nking apple 1\nking absent 5\n");
    String out =
        embed("evaluate", "--analogies", questions, "--pairs", pairs, "--device", "cpu")
            .succeeded()
            .out();
    assertTrue(
        out.contains("family                                2        1        1   100.00 %\n"),
        out);
    assertTrue(out.contains("\ntotal "), out);
    assertTrue(out.contains("\n4 pairs, 25.00 % unseen: Spearman 1.0000, Pearson 0.99"), out);
    embed("evaluate").failed(Main.WRONG_USE, "give --analogies FILE, --pairs FILE or both");
    embed("evaluate", "--pairs", pairs, "--limit", 0).failed(Main.WRONG_USE, "at least 1");
    embed("evaluate", "--analogies", questions, "--rule", "fasttext")
        .failed(Main.WRONG_USE, "use word2vec, gensim");
  }

  @Test
  void filesAreConvertedByTheirEndingOrAsSaid() throws IOException {
    for (String name : List.of("a.bin", "a.vec", "a.glove", "a.safetensors", "a.npy")) {
      Path copy = folder.resolve(name);
      embed("convert", copy).succeeded();
      assertEquals(Optional.of(VectorFormat.ofName(copy)), VectorFormat.of(copy));
      try (Vectors read = Vectors.open(copy)) {
        assertEquals("[-1.0, -1.0, -1.0]", Arrays.toString(read.vector("apple")));
      }
      embed("convert", copy).failed(Main.FAILURE, "replace it by --overwrite");
      embed("convert", copy, "--overwrite").succeeded();
    }
    Path glove = folder.resolve("b.txt");
    embed("convert", glove, "--to", "glove").succeeded();
    assertEquals(Optional.of(VectorFormat.GLOVE), VectorFormat.of(glove));
    Files.delete(folder.resolve("a.npy"));
    embed("convert", folder.resolve("a.npy")).failed(Main.FAILURE, "a.vocab: is there already");
    embed("convert", folder.resolve("a.npy"), "--overwrite").succeeded();
    embed("convert", folder.resolve("a.xyz")).failed(Main.WRONG_USE, "does not say a format");
    Files.move(folder.resolve("a.vocab"), folder.resolve("others"));
    vectors = folder.resolve("a.npy");
    embed("odd", "king", "apple", "queen").failed(Main.FAILURE, "a.vocab");
    embed("odd", "king", "apple", "queen", "--words", folder.resolve("others")).succeeded();
  }

  @Test
  void rowsLeftOutAreSaid() throws IOException {
    Files.writeString(vectors, "3 3\na 1 2 3\nb 1 2 4\na 1 2 5\n");
    Weft.Run run = embed("similarity", "a", "b");
    assertEquals(0, run.code());
    assertTrue(run.err().contains("1 row left out"), run.err());
  }
}
