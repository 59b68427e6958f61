// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.support.ExampleProgram;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The examples by the command, from the jar and without what draws. */
class ExamplesCommandTest {
  @TempDir Path folder;

  @Test
  void theListIsThatOfTheFiles() throws Exception {
    assertEquals(
        ExampleProgram.names(), Example.all().stream().map(Example::type).sorted().toList());
    String said = Weft.run("examples").succeeded().out();
    for (Example each : Example.all()) {
      assertTrue(said.contains("\n  " + each.name() + " "), said);
    }
    assertTrue(said.contains("\ntext\n"), said);
    String sentence = "guesses a word from the four before it (Bengio et al. 2003).";
    assertTrue(said.replaceAll("\\s+", " ").contains(sentence), said);
  }

  @Test
  void tagsInASentenceAreWords() {
    String source =
        "// models: weft examples run own\n/** Descent by {@link Sgd}, or\n * {@code adam}. */";
    assertEquals("Descent by Sgd, or adam.", Example.of("Own.java", source).sentence());
  }

  /** Runs it with the parts of Java that a bundle has. */
  private Process start(String classPath, String... arguments) throws IOException {
    ProcessBuilder process = Weft.process(Main.class.getName(), arguments);
    process.command().set(process.command().indexOf("-cp") + 1, classPath);
    process
        .command()
        .addAll(1, List.of("--limit-modules", "java.base,java.logging,jdk.unsupported"));
    return process.directory(folder.toFile()).start();
  }

  @Test
  void anExamplePrintsItsNumbersAndWritesItsPicture() throws Exception {
    Process xor = start(System.getProperty("java.class.path"), "examples", "run", "xor");
    String said = new String(xor.getInputStream().readAllBytes(), UTF_8);
    assertEquals(0, xor.waitFor(), said);
    assertEquals("a line: 3 of 4\na hidden layer of 8: 4 of 4\nwrote xor.svg\n", said);
    ExampleProgram.picture(folder.resolve("xor.svg"), "a XOR b");
  }

  @Test
  void anUnknownNameGetsTheNearest() {
    Weft.run("examples", "run", "own-los")
        .failed(2, "there is no example 'own-los'; did you mean own-loss?");
  }

  @Test
  void argumentsAreCountedBeforeItRuns() {
    Weft.run("examples", "run", "bengio", "one.txt")
        .failed(2, "bengio takes TRAIN VALID, got one.txt: weft examples run bengio TRAIN VALID");
    Weft.run("examples", "run", "own-loss", "more").failed(2, "own-loss takes no arguments");
  }

  @Test
  void aFolderForWhatDrawsNothingIsRefused() {
    Weft.run("examples", "run", "own-loss", "--out", folder)
        .failed(2, "own-loss draws nothing: leave --out out");
  }

  @Test
  void aFileDescribesItself() {
    Example example =
        Example.of(
            "TwoWords.java",
            """
            // SPDX-License-Identifier: Apache-2.0
            // text: weft examples run two-words [--out FOLDER] TRAIN [STEPS]
            import dev.weft.Device;

            /**
             * Shows 0.5 of it (Bengio et al. 2003), in
             * two lines. And more.
             */
            public class TwoWords {}
            """);
    assertEquals(
        new Example(
            "TwoWords",
            "text",
            "two-words",
            true,
            List.of("TRAIN", "[STEPS]"),
            "Shows 0.5 of it (Bengio et al. 2003), in two lines."),
        example);
    assertEquals("weft examples run two-words [--out FOLDER] TRAIN [STEPS]", example.usage());
    String words =
        assertThrows(IllegalStateException.class, () -> Example.of("New.java", "/** Says. */"))
            .getMessage();
    assertTrue(words.startsWith("docs/examples/New.java needs a line such as"), words);
    assertFalse(words.contains("null"), words);
  }
}
