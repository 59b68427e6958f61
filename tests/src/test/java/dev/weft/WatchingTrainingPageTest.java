// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weft.support.PagePrograms;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program of docs/watching-training.md prints what it says. */
class WatchingTrainingPageTest {
  @TempDir private Path folder;

  @Test
  void thePagesProgramPrintsWhatItSays() throws Exception {
    List<String> programs = PagePrograms.of("watching-training.md");
    assertEquals(1, programs.size());
    PagePrograms.assertPrintWhatTheySay(programs, folder);
  }
}
