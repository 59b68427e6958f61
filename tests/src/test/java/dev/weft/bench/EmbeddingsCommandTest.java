// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.bench.report.Missing;
import dev.weft.bench.report.Results;
import dev.weft.bench.report.VectorTraining;
import dev.weft.bench.report.VectorTraining.Turn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddingsCommandTest {
  /** A text in which words of one letter stand together. */
  private static Path text(Path folder) throws IOException {
    Random random = new Random(1);
    StringBuilder text = new StringBuilder();
    for (int line = 0; line < 2000; line++) {
      char letter = (char) ('a' + random.nextInt(5));
      for (int word = 0; word < 8; word++) {
        text.append(letter).append(random.nextInt(9)).append(word == 7 ? '\n' : ' ');
      }
    }
    return Files.writeString(folder.resolve("text.txt"), text);
  }

  @Test
  void theCommandTrainsAndIsMeasured(@TempDir Path folder) throws IOException {
    Path json = folder.resolve("embeddings.json");
    Path pairs =
        Files.writeString(
            folder.resolve("alike.txt"), "a1\ta2\t9\nb1\tb2\t8\na1\tb2\t1\nc1\td1\t0\n");
    int code =
        Main.run(
            "embeddings",
            text(folder).toString(),
            "--pairs",
            pairs.toString(),
            "--peer",
            "none",
            "--forms",
            "cbow",
            "--only",
            "^Weft$",
            "--dim",
            "16",
            "--sample",
            "0",
            "--turns",
            "1",
            "--json",
            json.toString());
    assertEquals(0, code);
    Results results = Results.read(json);
    assertEquals(1, results.vectorTrainings().size());
    VectorTraining row = results.vectorTrainings().getFirst();
    assertEquals("cbow", row.form());
    assertEquals("Weft", row.side());
    assertEquals(16_000, row.words());
    assertEquals(List.of(1, 2), List.of(row.epochs(), row.otherEpochs()));
    assertTrue(row.command().startsWith("weft embed train"), row.command());
    assertTrue(
        row.command().contains("-cbow 1 -size 16 -window 5 -sample 0 -alpha 0.05"), row::command);
    Turn turn = row.turns().getFirst();
    assertTrue(turn.seconds() > 0 && turn.otherSeconds() > 0, turn::toString);
    assertTrue(turn.peakMib() > 20, "a Java machine takes more: " + turn);
    assertTrue(turn.ownRate() > 0, turn::toString);
    assertTrue(turn.quality().get("alike") > 0.5, "words that stand together: " + turn);
    Set<String> missing = results.missing().stream().map(Missing::what).collect(Collectors.toSet());
    assertEquals(Set.of("word2vec.c", "none"), missing);
  }

  @Test
  void wrongUseIsSaid(@TempDir Path folder) throws IOException {
    String text = text(folder).toString();
    assertEquals(2, Main.run("embeddings"), "no text");
    assertEquals(2, Main.run("embeddings", text, "--turns", "0"));
    assertEquals(2, Main.run("embeddings", text, "--epochs", "0"));
    assertEquals(2, Main.run("embeddings", text, "--sample", "-1"));
    assertEquals(2, Main.run("embeddings", text, "--peer", "none,gensim"));
    assertEquals(2, Main.run("embeddings", text, "--peer", "nobody"));
    assertEquals(2, Main.run("embeddings", text, "--forms", "bag"));
    assertEquals(2, Main.run("embeddings", text, "--word2vec", "no-name"));
    assertEquals(1, Main.run("embeddings", text, "--word2vec", "O3=" + text), "no program");
    assertEquals(1, Main.run("embeddings", text, "--questions", text + "s"), "no such file");
    assertEquals(
        2,
        Main.run("embeddings", text, "--peer", "none", "--forms", "cbow", "--only", "nobody"),
        "nothing to measure");
    Path empty = Files.writeString(folder.resolve("empty.txt"), "");
    assertEquals(1, Main.run("embeddings", empty.toString(), "--peer", "none"), "no words");
  }
}
