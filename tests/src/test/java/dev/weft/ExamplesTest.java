// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.support.SourceFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The programs of docs/examples run, and say what they should. */
class ExamplesTest {
  @TempDir Path folder;

  private String run(String name, String... arguments) throws Exception {
    Path source =
        Path.of(System.getProperty("weft.root")).resolve("docs/examples/" + name + ".java");
    return SourceFile.run(source, folder, arguments);
  }

  @Test
  void aLayerOfOnesOwnIsSavedAndLoaded() throws Exception {
    assertEquals("true", run("OwnLayer"));
  }

  @Test
  void aModelOfOnesOwnIsSavedAndLoaded() throws Exception {
    assertEquals("1.0", run("OwnModel"));
  }

  /** Its accuracy is counted from the outputs: a loss says nothing of it. */
  @Test
  void aLossOfOnesOwnIsTrainedWith() throws Exception {
    assertEquals("1.0 true", run("OwnLoss"));
  }

  @Test
  void aMetricOfOnesOwnIsMeasuredAndWatched() throws Exception {
    assertEquals("1.00 true", run("OwnMetric"));
  }

  @Test
  void listenersOfOnesOwnSaveChangeTheRateAndStop() throws Exception {
    assertEquals("97 % are enough; true", run("OwnListener"));
  }

  @Test
  void anOptimizerOfOnesOwnIsTrainedWith() throws Exception {
    assertEquals("true", run("OwnOptimizer"));
  }

  /** In a text that repeats itself the next word is known from those before it. */
  @Test
  void theLanguageModelLearnsAText() throws Exception {
    Path text = folder.resolve("text");
    Files.writeString(text, "the cat saw the dog and the dog saw a bird\n".repeat(2_000));
    String said = run("Bengio", text.toString(), text.toString());
    assertTrue(said.startsWith("perplexity "), said);
    assertTrue(Double.parseDouble(said.split(" ")[1]) < 1.2, said);
  }

  @Test
  void wordVectorsAreAskedEvaluatedAndConverted() throws Exception {
    Path vectors = folder.resolve("v.txt");
    Files.writeString(vectors, "4 3\nking 3 0 1\nqueen 0 3 1\nman 1 0 0\nwoman 0 1 0\n");
    Path questions = folder.resolve("q.txt");
    Files.writeString(questions, ": family\nman woman king queen\n");
    Path pairs = folder.resolve("p.txt");
    Files.writeString(pairs, "king man 9\nking queen 5\nman woman 1\n");
    Path copy = folder.resolve("v.safetensors");
    String said = run("WordVectors", vectors + "", questions + "", pairs + "", copy + "");
    assertEquals(List.of("man", "queen", "2", "1 of 1", "1.0"), said.lines().toList());
    assertTrue(Files.exists(copy));
  }

  @Test
  void aProgramThatDoesNotCompileIsNoticed() throws IOException {
    Path source = folder.resolve("Wrong.java");
    Files.writeString(source, "public class Wrong { int x = \"\"; }");
    AssertionError e =
        org.junit.jupiter.api.Assertions.assertThrows(
            AssertionError.class, () -> SourceFile.run(source, folder));
    assertTrue(e.getMessage().contains("incompatible types"), e.getMessage());
  }
}
