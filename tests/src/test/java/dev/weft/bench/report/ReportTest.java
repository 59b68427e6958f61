// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportTest {
  @Test
  void aTableAlignsWordsLeftAndNumbersRight() {
    Table table = new Table("Times", 1, "what", "us");
    table.add("a", "1.5");
    table.add("longer", "100");
    assertEquals("Times\n  what     us\n  a       1.5\n  longer  100\n", table.text());
    assertThrows(IllegalArgumentException.class, () -> table.add("a cell is missing"));
  }

  @Test
  void jsonComesBackAsItWasWritten(@TempDir Path folder) throws IOException {
    Results results = SampleResults.withGpu();
    Path file = folder.resolve("run.json");
    results.write(file);
    Results read = Results.read(file);
    for (Part part : Part.values()) {
      assertEquals(results.of(part), read.of(part));
    }
    assertEquals(results.memory(), read.memory());
    assertEquals(results.endurance(), read.endurance());
    assertEquals(results.agreements(), read.agreements());
    assertEquals(new Page(results).html(), new Page(read).html());
    JsonObject json = JsonParser.parseString(Files.readString(file)).getAsJsonObject();
    for (String field : List.of("date", "command", "machine", "versions", "measurements")) {
      assertTrue(json.has(field), field);
    }
  }

  /** A peer whose loss became NaN is a row of the file, and no reason to lose the others. */
  @Test
  void numbersThatAreNoneAreWrittenAndReadBack(@TempDir Path folder) throws IOException {
    Results results = SampleResults.withGpu();
    double none = Double.NaN;
    double endless = Double.POSITIVE_INFINITY;
    results.add(new Agreement("net", 1, "DJL STRICT", "cpu", 100, none, -endless, none, 1e-4));
    results.add(
        SampleResults.measured(Part.STEPS, "n", "b", 1, "Weft", "STRICT", "cpu", endless, 0, 1));
    Path file = folder.resolve("run.json");
    results.write(file);
    Results read = Results.read(file);
    assertEquals(results.agreements(), read.agreements());
    assertEquals(results.of(Part.STEPS), read.of(Part.STEPS));
    assertEquals(new Page(results).html(), new Page(read).html());
    JsonReader strict = new JsonReader(Files.newBufferedReader(file));
    strict.setStrictness(Strictness.STRICT);
    try (strict) {
      strict.skipValue();
      assertEquals(JsonToken.END_DOCUMENT, strict.peek());
    }
  }

  @Test
  void aCellCanHoldLinesAndBars() {
    Table table = new Table("Failures", 2, "what", "why");
    table.add("a|b", "first\n  second\r\nthird");
    assertEquals("Failures\n  what  why\n  a|b   first second third\n", table.text());
    assertTrue(table.markdown().contains("| a\\|b | first second third |"), table::markdown);
  }

  @Test
  void aFileOfAnotherKindIsRefusedByName(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("other.json");
    for (String text : List.of("{}", "", "[1]", "not json")) {
      Files.writeString(file, text);
      IOException e = assertThrows(IOException.class, () -> Results.read(file));
      assertTrue(e.getMessage().contains("other.json"), e.getMessage());
    }
  }

  @Test
  void aLineIsFoundThroughPointsOfALine() {
    LinearFit fit = LinearFit.of(new double[] {1, 2, 4, 8}, new double[] {5, 7, 11, 19});
    assertEquals(3, fit.fixed(), 1e-9);
    assertEquals(2, fit.slope(), 1e-9);
    assertEquals(0, fit.deviation(), 1e-12);
  }

  @Test
  void whatIsNotLinearIsFarFromItsLine() {
    double[] x = {1, 2, 4, 8};
    assertTrue(LinearFit.of(x, new double[] {1, 4, 16, 64}).deviation() > 0.10, "a square");
    assertTrue(LinearFit.of(x, new double[] {10, 20, 46, 80}).deviation() > 0.05, "15 % too slow");
    assertThrows(
        IllegalArgumentException.class,
        () -> LinearFit.of(new double[] {1, 2}, new double[] {1, 2}),
        "two points are always on a line");
  }

  @Test
  void aRatioComparesNeighboursInTime() {
    Measurement fast = step("Weft", List.of(1.0, 2.0, 4.0));
    Measurement slow = step("DJL", List.of(3.0, 4.0, 20.0));
    Ratio ratio = Ratio.of(slow, fast);
    assertEquals(new Ratio(3, 2, 5), ratio);
    assertEquals("3.00 (2.00 - 5.00)", ratio.text());
    Measurement once = step("PyTorch eager", List.of(4.0));
    assertEquals(new Ratio(2, 1, 4), Ratio.of(once, fast), "one turn beside each");
    assertEquals(new Ratio(1, 0.75, 5), Ratio.of(slow, once));
    Measurement twice = step("PyTorch graph", List.of(4.0, 8.0));
    assertEquals(new Ratio(3, 3, 3), Ratio.of(twice, fast), "of medians");
  }

  private static Measurement step(String side, List<Double> turns) {
    double median = Measurement.median(turns.stream().mapToDouble(Double::doubleValue).toArray());
    var times = new Measurement.Times(median, median, median, turns, 9, null);
    return new Measurement(Part.STEPS, "net", "batch 1", 1, side, "STRICT", "cpu", times, 0, 1);
  }

  @Test
  void aShareIsThatOfTheNearerCeiling() {
    Results results = SampleResults.withoutGpu();
    Measurement relu =
        results.of(Part.KERNELS).stream()
            .filter(one -> one.name().equals("relu_forward") && one.group().equals("memory"))
            .findFirst()
            .orElseThrow();
    assertEquals(1 / 1.2, Roofs.of(results, "cpu").share(relu).orElseThrow(), 1e-9);
    assertTrue(Roofs.of(results, "cuda:0").share(relu).isEmpty(), "no ceiling, no share");
  }

  @Test
  void aLessPreciseSideIsNotComparedWithAMorePreciseWeft() {
    assertTrue(Tables.comparable("STRICT", "FAST"));
    assertTrue(Tables.comparable("BF16", "BF16"));
    assertFalse(Tables.comparable("FAST", "STRICT"));
  }

  @Test
  void everyPartOfARunHasItsTable() {
    Tables tables = new Tables(SampleResults.withGpu());
    for (Part part : List.of(Part.CEILINGS, Part.KERNELS, Part.STEPS, Part.SCALING)) {
      assertFalse(tables.of(part).isEmpty(), part.word());
      for (Table table : tables.of(part)) {
        assertTrue(table.text().contains("cuda:0"), table.text());
      }
    }
    assertTrue(tables.of(Part.HOST).isEmpty(), "what was not measured has none");
    assertTrue(tables.compare().text().contains("50.0x"), tables.compare().text());
    assertTrue(new Tables(SampleResults.withoutGpu()).compare().isEmpty());
  }

  @Test
  void enduranceHoldsUpToOnePercent() {
    assertTrue(new Endurance("cpu", 10, 1000, 1009, 500, 500).holds());
    assertFalse(new Endurance("cpu", 10, 1000, 1011, 500, 500).holds(), "the process grew");
    assertFalse(new Endurance("cpu", 10, 1000, 1000, 500, 510).holds(), "the device's grew");
  }
}
