// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.optim.Optimizer;
import dev.weft.support.PagePrograms;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What docs/optimizers.md lists are the command's rules, and its programs print what they say. */
class OptimizersPageTest {
  @TempDir private Path folder;

  @Test
  void itsProgramsPrintWhatTheySay() throws Exception {
    List<String> programs = PagePrograms.of("optimizers.md");
    assertTrue(programs.size() >= 3, "there are programs");
    PagePrograms.assertPrintWhatTheySay(programs, folder);
  }

  /** The rows of the table of rules, cell by cell. */
  private static List<String[]> rows() throws IOException {
    String page = PagePrograms.text("optimizers.md");
    String from = page.substring(page.indexOf("| rule | direction |"));
    return from.substring(0, from.indexOf("\n\n"))
        .lines()
        .skip(2)
        .map(line -> line.substring(2).split(" \\| "))
        .toList();
  }

  @Test
  void itsRulesAreThoseOfTheCommand() throws IOException {
    for (String[] row : rows()) {
      String word = row[5].replace("`", "");
      OptimizerOptions options = new OptimizerOptions();
      CommandLine.populateCommand(options, "--optimizer", word);
      Optimizer rule = options.optimizer();
      assertEquals(word, rule.spec());
      assertEquals(row[4].replace("`", ""), rule.getClass().getSimpleName());
      if (!row[3].contains("to")) {
        assertEquals(Integer.parseInt(row[3]), rule.memory().size(), word);
      }
    }
    assertEquals(11, rows().size());
  }
}
