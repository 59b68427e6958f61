// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.bench.report.Measurement.Times;
import java.util.List;
import org.junit.jupiter.api.Test;

class KernelTableTest {
  private final Results results = new Results(Machine.here(1), "made up");

  @Test
  void theOtherSideIsARatioInTheKernelsRow() {
    add("softmax_forward", "Weft", 100);
    add("softmax_forward", "DJL", 250);
    add("adam", "Weft", 70);
    List<String> lines = new Tables(results).of(Part.KERNELS).getFirst().text().lines().toList();
    assertEquals(4, lines.size(), "title, head and a row for each kernel: " + lines);
    assertTrue(lines.get(1).endsWith("DJL / Weft"), lines.get(1));
    assertTrue(lines.get(2).endsWith(" 2.50"), lines.get(2));
    assertFalse(lines.get(3).endsWith(" 2.50"), lines.get(3));
  }

  @Test
  void whereNobodyIsBesideItThereIsNoColumn() {
    add("adam", "Weft", 70);
    assertFalse(new Tables(results).of(Part.KERNELS).getFirst().text().contains("/ Weft"));
  }

  @Test
  void theShareIsOfTheCopyThatWasMeasuredBeside() {
    add("softmax_forward", "Weft", 100);
    add("softmax_forward", Measurement.COPY, 80);
    String text = new Tables(results).of(Part.KERNELS).getFirst().text();
    assertEquals(3, text.lines().count(), text);
    assertTrue(text.stripTrailing().endsWith(" 80 %"), text);
  }

  @Test
  void plotsAreOfWeftAlone() {
    add("softmax_forward", "Weft", 100);
    int alone = new Plots(results).of(Part.KERNELS).toString().length();
    add("softmax_forward", "DJL", 250);
    assertEquals(alone, new Plots(results).of(Part.KERNELS).toString().length());
  }

  private void add(String kernel, String side, double micros) {
    Times times = new Times(micros, micros, micros, List.of(micros), 1, null);
    results.add(
        new Measurement(
            Part.KERNELS, "memory", kernel, 0, side, "STRICT", "cpu", times, 2.7e8, 1e6));
  }
}
