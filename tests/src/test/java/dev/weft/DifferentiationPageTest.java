// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.support.PagePrograms;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The programs of docs/differentiation.md run, and each line that prints says what. The one that
 * draws a graph, which it writes to a file, is run by {@code GraphPageTest}.
 */
class DifferentiationPageTest {
  @TempDir Path folder;

  @Test
  void itsProgramsPrintWhatTheySay() throws Exception {
    List<String> programs =
        PagePrograms.of("differentiation.md").stream()
            .filter(program -> !program.contains("tape.draw("))
            .toList();
    assertTrue(programs.size() > 5, "there are programs");
    PagePrograms.assertPrintWhatTheySay(programs, folder);
  }
}
