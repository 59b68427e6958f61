// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompanyTest {
  private static final List<Double> ONE_THREAD = List.of(1000.0, 2000.0, 1000.0);

  private static Company row(List<Double> first, double target, double least) {
    List<Double> second = first.isEmpty() ? List.of() : ONE_THREAD;
    return new Company(
        "idle, net", "default / one thread", Company.SAMPLES, first, second, target, least, "why");
  }

  @Test
  void aFigureIsTheMedianOfNeighbours() {
    Ratio figure = row(List.of(900.0, 4000.0, 1500.0), 0, 0).figure();
    assertEquals(new Ratio(1.5, 0.9, 2.0), figure);
    assertEquals(
        "default / one thread 1.50 (0.90 - 2.00), 1,500/s / 1,000/s",
        row(List.of(900.0, 4000.0, 1500.0), 0, 0).text());
  }

  @Test
  void targetsHoldAreMissedOrHoldWhereCoresAreFarApart() {
    List<Double> half = List.of(500.0, 1000.0, 5000.0);
    assertEquals("holds", row(half, 0.5, 0.5).verdict());
    assertEquals("MISSED", row(half, 0.51, 0.51).verdict());
    assertEquals("0.45 holds", row(half, 1.3, 0.45).verdict());
    assertEquals("", row(half, 0, 0).verdict(), "no target");
    assertEquals("not measured", row(List.of(), 0.5, 0.5).verdict());
  }

  @Test
  void timesStandWhereATimeIsMeant() {
    Company prediction =
        new Company(
            "one row", "there / idle", Company.PREDICTIONS, List.of(2e4), List.of(4e4), 0, 0, "");
    assertTrue(
        Company.table(List.of(prediction)).text().contains("50.0 us  25.0 us"),
        Company.table(List.of(prediction))::text);
  }

  @Test
  void figuresAreReadFromTheFileAndShownOnAPage(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("company.json");
    Results results = new Results(Machine.here(2), "weft bench company");
    results.keepIn(file);
    Company measured = row(List.of(900.0, 4000.0, 1500.0), 1.3, 0.97);
    results.add(measured);
    Results read = Results.read(file);
    assertEquals(List.of(measured), read.company());
    assertTrue(new Page(read).html().contains("&gt;= 1.30, 0.97"));
    Files.writeString(file, Files.readString(file).replace("\"company\":", "\"unknown\":"));
    assertEquals(List.of(), Results.read(file).company(), "a file that has none");
  }
}
