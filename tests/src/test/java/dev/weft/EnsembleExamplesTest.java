// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.support.Beside;
import dev.weft.support.ExampleProgram;
import dev.weft.support.PagePrograms;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What is averaged, and what that is worth. */
@Beside
class EnsembleExamplesTest {
  /**
   * Lecture 2: averaged weights and activations are terrible, averaged predictions are better. The
   * numbers of the page are those of the program.
   */
  @Test
  @ExampleProgram.Of("EnsembleComparison")
  void predictionsAloneAreWorthAveraging() throws Exception {
    List<String> lines = ExampleProgram.run("EnsembleComparison");
    Map<String, Double> share =
        lines.stream()
            .map(line -> line.split(" {2,}| %"))
            .collect(Collectors.toMap(words -> words[0], words -> Double.valueOf(words[1])));
    assertEquals(4, share.size(), share::toString);
    double one = share.get("one network");
    assertTrue(one > 85, share::toString);
    assertTrue(share.get("predictions") > one + 0.5, share::toString);
    assertTrue(share.get("activations") < one - 20, share::toString);
    assertTrue(share.get("weights") < one - 20, share::toString);
    String page = PagePrograms.text("optimizers.md");
    for (String line : lines) {
      String number = line.replaceAll(".* {2,}", "");
      assertTrue(page.contains("| " + number + " |"), line);
    }
  }
}
