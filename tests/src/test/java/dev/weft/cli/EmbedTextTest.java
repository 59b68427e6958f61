// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbedTextTest {
  @TempDir Path folder;
  private Path text;
  private Path output;

  @BeforeEach
  void write() throws IOException {
    text = folder.resolve("text.txt");
    output = folder.resolve("out.txt");
    // the score of new and york: (6 - 2) / (6 * 6) * 28 = 3.1; of york and city 2.3
    Files.writeString(
        text,
        "In new york city\n".repeat(4) + "so new york\nso new york\none two\none two\nrare x\n");
  }

  @Test
  void wordsAreCounted() throws IOException {
    Weft.run("embed", "vocab", text, "-save-vocab", output, "-min-count", 4).succeeded();
    assertEquals("</s> 0\nnew 6\nyork 6\nIn 4\ncity 4\n", Files.readString(output));
    String out =
        Weft.run("embed", "vocab", text, "--save-vocab", output, "--lower-case", "-min-count", 6)
            .succeeded()
            .out();
    assertEquals("</s> 0\nnew 6\nyork 6\n", Files.readString(output));
    assertTrue(out.contains("wrote 2 words to " + output), out);
    Weft.run("embed", "vocab", text, "-save-vocab", output).succeeded();
    assertEquals("</s> 0\nnew 6\nyork 6\n", Files.readString(output), "5, as word2vec.c has it");
    Weft.run("embed", "vocab", text).failed(Main.WRONG_USE, "-save-vocab");
    Weft.run("embed", "vocab", text, "-save-vocab", output, "-min-count", 7)
        .failed(Main.FAILURE, "no word occurs 7 times");
    Path nowhere = folder.resolve("none").resolve("words");
    Weft.run("embed", "vocab", folder.resolve("absent"), "-save-vocab", nowhere)
        .failed(Main.FAILURE, nowhere.toString());
  }

  private String phrases(Object... more) throws IOException {
    Object[] all = new Object[more.length + 5];
    System.arraycopy(new Object[] {"embed", "phrases", text, "-output", output}, 0, all, 0, 5);
    System.arraycopy(more, 0, all, 5, more.length);
    Weft.run(all).succeeded();
    return Files.readString(output);
  }

  @Test
  void phrasesAreJoinedAndAllWordsStay() throws IOException {
    String once = phrases("-threshold", 3, "-min-count", 2);
    assertEquals(
        "In new_york city\n".repeat(4) + "so new_york\nso new_york\none two\none two\nrare x\n",
        once);
    String twice = phrases("-threshold", 1.5, "-min-count", 2, "--passes", 2);
    assertEquals("In_new_york_city", twice.lines().findFirst().orElseThrow());
    assertEquals(Files.readString(text), phrases("-threshold", 5, "-min-count", 2));
    assertEquals(Files.readString(text), phrases(), "word2phrase's own threshold and count");
    assertEquals(
        Files.readString(text).replace("In", "in"), phrases("--lower-case"), "as it was read");
    Path packed = folder.resolve("out.gz");
    String out =
        Weft.run("embed", "phrases", text, "-output", packed, "-threshold", 3, "-min-count", 2)
            .succeeded()
            .out();
    assertTrue(out.contains("joined 6 pairs; wrote 22 words to "), out);
    try (InputStream in = new GZIPInputStream(Files.newInputStream(packed))) {
      assertEquals(once, new String(in.readAllBytes(), StandardCharsets.UTF_8));
    }
  }

  @Test
  void whatCannotBeIsSaidBeforeTheWork() {
    Weft.run("embed", "phrases", text, "-output", output, "--passes", 0)
        .failed(Main.WRONG_USE, "at least 1 pass, not 0");
    Weft.run("embed", "phrases", text, "-output", output, "-threshold", -1)
        .failed(Main.WRONG_USE, "a threshold of phrases is 0 or more");
    Weft.run("embed", "phrases", text).failed(Main.WRONG_USE, "-output");
    Weft.run("embed", "phrases", text, "-output", text)
        .failed(Main.WRONG_USE, "-output " + text + " is the text, ", "name another one");
    Weft.run("embed", "vocab", text, "-save-vocab", text)
        .failed(Main.WRONG_USE, "-save-vocab " + text + " is the text, ", "name another one");
    assertFalse(Files.exists(output));
  }
}
