// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.embeddings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.bench.company.Scope;
import dev.weft.bench.embeddings.Form.Entrant;
import dev.weft.bench.embeddings.Peers.Tool;
import dev.weft.bench.measure.ChildFailedException;
import dev.weft.bench.report.Missing;
import dev.weft.bench.report.VectorTask;
import dev.weft.bench.report.VectorTraining;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddingsTest {
  private static Training training(Form form) {
    return new Training(
        Path.of("text"), null, form.model, form.objective, 100, 5, 1e-4, 5, form.rate(), 2, 3);
  }

  private static Path program(Path file, String script) throws IOException {
    Files.writeString(file, "#!/bin/sh\n" + script + "\n");
    return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
  }

  /** Options in pairs. */
  private static void assertTold(String expected, String command) {
    for (String option : expected.split(", ")) {
      assertTrue((" " + command + " ").contains(" " + option + " "), option + " of " + command);
    }
  }

  @Test
  void allSidesAreToldTheSame() {
    String same = "-size 100, -window 5, -sample 0.0001, -alpha 0.05, -iter 3, -threads 2";
    Training cbow = training(Form.CBOW);
    String weft = Side.weft("Weft", Map.of()).text(cbow);
    assertTold(same + ", -cbow 1, -negative 5, -min-count 5", weft);
    String word2vec = Side.word2vec("O3", Path.of("/w2v")).text(cbow);
    assertTold(same + ", -cbow 1, -hs 0, -negative 5, -min-count 5, -binary 1", word2vec);
    String fastText = Side.fastText(Path.of("/ft")).text(cbow);
    assertTold(
        "ft cbow, -dim 100, -ws 5, -t 0.0001, -lr 0.05, -epoch 3, -thread 2, -minCount 5, -loss"
            + " ns, -neg 5, -maxn 0",
        fastText);
    String gensim = Side.gensim(Path.of("/py")).text(cbow);
    assertTrue(gensim.endsWith("text vectors.bin 0 0 100 5 0.0001 5 0.05 2 3"), gensim);
  }

  @Test
  void objectivesAndModelsAreTold() {
    Training tree = training(Form.SKIP_GRAM_HS);
    String weft = Side.weft("Weft", Map.of("WEFT_MAX_ISA", "avx2"), "--deterministic").text(tree);
    assertTrue(weft.startsWith("WEFT_MAX_ISA=avx2 weft embed train"), weft);
    assertTold("-cbow 0, -hs 1, -alpha 0.025, --deterministic", weft);
    assertFalse(weft.contains("-negative"), weft);
    assertTold("-hs 1, -negative 0", Side.word2vec("O3", Path.of("/w2v")).text(tree));
    assertTold("skipgram, -loss hs", Side.fastText(Path.of("/ft")).text(tree));
    assertTold("1 1 100", Side.gensim(Path.of("/py")).text(tree));
    assertTold("--full-softmax", Side.weft("Weft", Map.of()).text(training(Form.CBOW_FULL)));
  }

  @Test
  void formsHaveTheirSidesAndTargets() {
    List<Entrant> sides = Form.SKIP_GRAM.weft(100, 5, "avx512");
    assertEquals(List.of(10.0, 4.0, 0.0, 0.0, 5.0), sides.stream().map(Entrant::target).toList());
    assertEquals(8, sides.getFirst().wholeTarget(), "of five epochs");
    assertEquals(0, Form.SKIP_GRAM.weft(100, 1, "avx512").getFirst().wholeTarget());
    assertEquals(4, Form.SKIP_GRAM.weft(100, 1, "avx2").size(), "no second AVX2");
    assertEquals(0, Form.CBOW.weft(64, 1, "avx512").getFirst().target(), "another dimension");
    assertEquals(6, Form.SKIP_GRAM_300.weft(300, 1, "avx512").getFirst().target());
    assertEquals(0.05, Form.FAST_RATE.rate());
    assertEquals(Form.SKIP_GRAM_HS, Form.of("skip-gram-hs"));
    IllegalArgumentException unknown =
        assertThrows(IllegalArgumentException.class, () -> Form.of("bag"));
    assertTrue(unknown.getMessage().startsWith("unknown form 'bag': use skip-gram, cbow,"));
  }

  @Test
  void peersThatAreAbsentAreNamed(@TempDir Path folder) throws IOException {
    List<Missing> missing = new ArrayList<>();
    assertEquals(0, Peers.find(Map.of(), Set.of(Tool.NONE), missing::add).sides().size());
    assertEquals("word2vec.c", missing.getFirst().what());
    Path built = program(folder.resolve("w2v"), "exit 0");
    missing.clear();
    Peers peers = Peers.find(Map.of("-O3", built), Set.of(), missing::add);
    assertEquals("word2vec.c -O3", peers.sides().getFirst().name());
    assertEquals(List.of(), missing);
    assertThrows(
        IllegalArgumentException.class,
        () -> Peers.find(Map.of("-O3", folder), Set.of(), missing::add));
  }

  @Test
  void aCommandIsTimedAndItsMemorySeen(@TempDir Path folder) throws IOException {
    Path slow = program(folder.resolve("slow"), "sleep 0.3; echo \"a (1,234,567 tokens/s)\"");
    try (Scope scope = new Scope()) {
      WholeCommand ran = WholeCommand.run("slow", List.of(slow.toString()), Map.of(), scope);
      assertTrue(ran.seconds() >= 0.3, ran::toString);
      assertTrue(ran.peakMib() > 0.1 && ran.peakMib() < 100, ran::toString);
      assertEquals(1_234_567, ran.ownRate());
      Path wrong = program(folder.resolve("wrong"), "echo no memory; exit 3");
      ChildFailedException failed =
          assertThrows(
              ChildFailedException.class,
              () -> WholeCommand.run("wrong", List.of(wrong.toString()), Map.of(), scope));
      assertTrue(failed.getMessage().contains("failed with 3: ...no memory"), failed::getMessage);
    }
  }

  @Test
  void aPeerThatFailsLeavesTheOthers(@TempDir Path folder) throws IOException {
    Path text = Files.writeString(folder.resolve("text.txt"), "a b ".repeat(1000));
    Map<String, Path> builds = Map.of("broken", program(folder.resolve("w2v"), "exit 1"));
    List<String> failed = new ArrayList<>();
    List<VectorTraining> rows = new ArrayList<>();
    Run.Settings settings =
        new Run.Settings(text, 8, 5, 0, 1, 1, 1, 1, Duration.ZERO, Pattern.compile("Weft$|broken"));
    Run.Listener listener =
        new Run.Listener() {
          @Override
          public void begins(String form, int sides) {
            assertEquals(2, sides);
          }

          @Override
          public void turn(VectorTraining row, VectorTraining.Turn turn) {}

          @Override
          public void measured(VectorTraining row) {
            rows.add(row);
          }

          @Override
          public void measured(VectorTask row) {}

          @Override
          public void failed(String form, String side, boolean isWeft, String why) {
            failed.add(form + ", " + side + ", " + isWeft);
          }
        };
    new Run(
            settings,
            Peers.find(builds, Set.of(), one -> {}),
            Quality.read(null, List.of()),
            listener)
        .measure(Set.of(Form.CBOW_HS));
    assertEquals(List.of("cbow-hs, word2vec.c broken, false"), failed);
    assertEquals(List.of("Weft"), rows.stream().map(VectorTraining::side).toList());
  }

  @Test
  void aPackedTextIsUnpackedAndCutAtAWord(@TempDir Path folder) throws IOException {
    Path packed = folder.resolve("text.gz");
    String words = "word ".repeat(500_000);
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
      out.write(words.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
    }
    PlainText text = PlainText.of(packed, folder, 5);
    assertEquals(500_000, text.words());
    assertEquals(words.length(), Files.size(text.file()));
    PlainText small = text.small(folder);
    assertEquals(400_000, small.words(), "2 MB, no part of a word");
    assertTrue(Files.readString(small.vocabulary()).endsWith("word 400000\n"), "with its count");
  }

  @Test
  void neighboursStandBesideProductsAlone(@TempDir Path folder) throws IOException {
    VectorTask row = new Asking(3000, 24, 100).measure(folder, 2, 2);
    assertEquals(2, row.seconds().size());
    assertTrue(row.figure().lowest() > 0, row::toString);
    assertEquals(0, row.most(), "the target is that of other sizes");
    assertEquals(0, folder.toFile().list().length, "the file is gone");
  }
}
