// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.support.Beside;
import dev.weft.support.ExampleProgram;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program that draws schedules, and what docs/optimizers.md shows of it. */
@Beside
class ScheduleExamplesTest {
  @TempDir private Path folder;

  @Test
  @ExampleProgram.Of("Schedules")
  void schedulesAreDrawnAsThePageShowsThem() throws Exception {
    List<String> lines = ExampleProgram.run("Schedules", folder);
    assertEquals(9, lines.size());
    assertTrue(lines.contains("multi-step:10,15:0.1     after 10 epochs 0.1000"), lines::toString);
    assertTrue(lines.contains("exponential:0.8          after 10 epochs 0.1074"), lines::toString);
    Path picture = folder.resolve("schedules.svg");
    ExampleProgram.picture(picture, "one-cycle", "epoch", "factor of the rate");
    assertEquals(
        Files.readString(ExampleProgram.FOLDER.resolve("../pictures/schedules.svg")),
        Files.readString(picture));
  }
}
