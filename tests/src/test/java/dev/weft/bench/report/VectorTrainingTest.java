// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.bench.report.VectorTraining.Turn;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VectorTrainingTest {
  /** A side of turns that take so long with one epoch, and with two. */
  private static VectorTraining row(
      String side, boolean reference, double target, double whole, double... seconds) {
    List<Turn> turns =
        IntStream.range(0, seconds.length / 2)
            .mapToObj(
                i ->
                    new Turn(
                        seconds[2 * i],
                        seconds[2 * i + 1],
                        0,
                        100 + i,
                        0,
                        Map.of(VectorTraining.ANALOGIES, 0.1 + 0.01 * i)))
            .toList();
    return new VectorTraining(
        "cbow", "CBOW, d 100", side, "weft", reference, 1_000_000, 1, 2, turns, target, whole);
  }

  private static final VectorTraining OURS = row("Weft", false, 12, 3, 3, 4, 2, 4, 3, 5);
  private static final VectorTraining FAST =
      row("word2vec.c -Ofast", true, 0, 0, 14, 27, 13, 38, 13, 37);
  private static final VectorTraining SLOW =
      row("word2vec.c -O3", true, 0, 0, 30, 60, 30, 60, 30, 70);

  @Test
  void loadingIsInWholeCommandsAndNotInTraining() {
    assertEquals(500_000, OURS.rate(), "two seconds, the median of three");
    assertEquals(new Ratio(12.5, 12, 13), OURS.trainingRatio(FAST));
    assertEquals(new Ratio(14 / 3.0, 13 / 3.0, 6.5), OURS.wholeRatio(FAST));
  }

  /** What two commands differ by is chance, where it is little. */
  @Test
  void aDifferenceThatMayBeChanceIsNoFigure() {
    assertEquals(Double.NaN, row("Weft", false, 0, 0, 8.75, 8.98).rate());
    assertEquals(1_000_000, row("Weft", false, 0, 0, 8, 9).rate());
  }

  @Test
  void aCommandInResultsNamesNoFolders() {
    assertEquals(
        "weft bench embeddings text.gz --word2vec O3=w2v-O3 --sample 1e-4 --json a/b.json",
        Results.withoutFolders(
            "weft bench embeddings /home/me/text.gz --word2vec O3=/opt/w2v-O3 --sample 1e-4 --json"
                + " a/b.json"));
  }

  @Test
  void targetsAreThoseOfTheFastestBuild() {
    assertEquals("holds, holds", OURS.verdict(List.of(FAST, SLOW)));
    VectorTraining more = row("Weft", false, 12.6, 0, 3, 4, 2, 4, 3, 5);
    assertEquals("holds", more.verdict(List.of(SLOW)));
    assertEquals("MISSED", more.verdict(List.of(SLOW, FAST)), "one of them is faster");
    assertEquals("not measured", more.verdict(List.of()));
    assertEquals("", FAST.verdict(List.of(SLOW)), "no target");
  }

  @Test
  void whatTurnsDoNotTellIsNoFigure() {
    VectorTraining noise = row("Weft", false, 12, 0, 2, 1, 2, 1);
    assertTrue(Double.isNaN(noise.rate()));
    assertEquals("not measured", noise.verdict(List.of(FAST)));
  }

  @Test
  void aFormIsATable() {
    List<Table> tables = VectorTraining.tables(List.of(OURS, FAST, SLOW));
    assertEquals(1, tables.size());
    String text = tables.getFirst().text();
    assertTrue(text.startsWith("cbow: CBOW, d 100; 1,000,000 words"), text);
    assertTrue(text.contains("10.0 - 12.0 %"), text);
    assertTrue(text.contains(">= 12, whole >= 3"), text);
  }

  @Test
  void figuresAreReadFromTheFileAndShownOnAPage(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("embeddings.json");
    Results results = new Results(Machine.here(2), "weft bench embeddings");
    VectorTask asking = new VectorTask("neighbours", List.of(3.0, 2.6), List.of(2.0, 2.0), 1.4);
    results.add(OURS);
    results.add(asking);
    results.write(file);
    Results read = Results.read(file);
    assertEquals(List.of(OURS), read.vectorTrainings());
    assertEquals(List.of(asking), read.vectorTasks());
    assertTrue(new Page(read).html().contains("whole &gt;= 3"));
  }

  @Test
  void aTaskIsComparedWithWhatIsBesideIt() {
    VectorTask asking = new VectorTask("asking", List.of(3.0, 2.6), List.of(2.0, 2.0), 1.4);
    assertEquals(new Ratio(1.4, 1.3, 1.5), asking.figure());
    assertEquals("holds", asking.verdict());
    assertEquals("MISSED", new VectorTask("reading", List.of(1.3), List.of(), 1.2).verdict());
    assertEquals("", new VectorTask("reading", List.of(1.3), List.of(), 0).verdict());
  }
}
