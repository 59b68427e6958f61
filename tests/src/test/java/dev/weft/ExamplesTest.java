// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.support.SourceFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
  void aProgramThatDoesNotCompileIsNoticed() throws IOException {
    Path source = folder.resolve("Wrong.java");
    Files.writeString(source, "public class Wrong { int x = \"\"; }");
    AssertionError e =
        org.junit.jupiter.api.Assertions.assertThrows(
            AssertionError.class, () -> SourceFile.run(source, folder));
    assertTrue(e.getMessage().contains("incompatible types"), e.getMessage());
  }
}
