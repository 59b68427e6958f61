// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScheduleCommandTest {
  @TempDir private Path folder;

  @Test
  void aTableHasTheRatesOfUpdates() {
    List<String> lines =
        Weft.run("schedule", "linear", "--epochs", 4, "--updates", 5, "--rate", "0.2")
            .succeeded()
            .out()
            .lines()
            .map(line -> line.strip().replaceAll(" +", " "))
            .toList();
    assertEquals("update epoch rate", lines.get(0));
    assertEquals("0 0.00 0.2000", lines.get(1));
    assertEquals("9 1.80 0.1100", lines.get(6));
    assertEquals("19 3.80 0.01000", lines.get(11));
    assertEquals(12, lines.size());
  }

  @Test
  void aPictureHasTheCourse() throws IOException {
    Path file = folder.resolve("rates.svg");
    String out =
        Weft.run(
                "schedule",
                "one-cycle",
                "--epochs",
                20,
                "--updates",
                500,
                "--warm-up",
                200,
                "--rate",
                "0.1",
                "--out",
                file)
            .succeeded()
            .out();
    assertTrue(out.endsWith("wrote " + file + System.lineSeparator()), out);
    String svg = Files.readString(file);
    assertTrue(svg.contains("learning rate") && svg.contains("one-cycle"), svg);
  }

  @Test
  void whatCannotBeShownIsRefused() {
    Weft.run("schedule", "plateau:2:0.1").failed(Main.WRONG_USE, "goes by what training comes to");
    Weft.run("schedule", "sine").failed(Main.WRONG_USE, "unknown schedule 'sine': use cosine, ");
    Weft.run("schedule", "steps:9:0.1", "--epochs", 3)
        .failed(Main.WRONG_USE, "steps:9:0.1 would change nothing: --epochs 3 end before");
    Weft.run("schedule", "cosine", "--updates", 0).failed(Main.WRONG_USE, "--updates must be at");
    Weft.run("schedule", "cosine", "--rate", 0).failed(Main.WRONG_USE, "--rate must be positive");
    Path file = folder.resolve("rates.txt");
    Weft.run("schedule", "cosine", "--out", file)
        .failed(Main.WRONG_USE, "ends in neither .svg nor .png");
    assertFalse(Files.exists(file));
  }
}
