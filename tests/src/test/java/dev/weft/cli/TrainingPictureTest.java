// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's picture of a training run shows what the command prints. */
class TrainingPictureTest {
  private static final Path PICTURE =
      Path.of(System.getProperty("weft.root"), "java", "cli", "training.svg");
  private static final Pattern LINE =
      Pattern.compile("<text x=\"14\" y=\"(\\d+)\" textLength=\"(\\d+)\">(.*)</text>");
  private static final double CHARACTER = 7.83;

  @TempDir private Path folder;

  private static List<MatchResult> lines() throws IOException {
    return LINE.matcher(Files.readString(PICTURE)).results().toList();
  }

  /** Its words, with the numbers and the machine left out. */
  private static String form(String line) {
    return line.replace('\u00a0', ' ')
        .replaceAll("cpu \\(.*\\)", "cpu (...)")
        .replaceAll("[0-9][0-9.,:]*", "N");
  }

  @Test
  void itsLinesAreThoseOfTheCommand() throws IOException {
    List<String> printed =
        Weft.run("train", "--device", "cpu", "--digits", 900, "--epochs", 1, "--out", folder + "/m")
            .succeeded()
            .out()
            .lines()
            .map(TrainingPictureTest::form)
            .toList();
    List<String> shown = lines().stream().map(line -> form(line.group(3))).toList();
    assertEquals("$ ./weft train --epochs N", shown.getFirst());
    assertEquals(printed.subList(0, 5), shown.subList(1, 6));
    List<String> epochs = shown.subList(5, shown.size() - 1);
    assertTrue(epochs.stream().allMatch(printed.get(4)::equals), epochs::toString);
    assertTrue(shown.getLast().matches("epoch N/N +N%.*"), shown::getLast);
  }

  @Test
  void itsColumnsDoNotDependOnHowABrowserTreatsSpaces() throws IOException {
    String all = Files.readString(PICTURE);
    for (MatchResult line : lines()) {
      assertFalse(line.group(3).contains("  "), line::group);
      int length = line.group(3).length();
      assertEquals(CHARACTER * length, Integer.parseInt(line.group(2)), 2, line::group);
    }
    assertEquals(lines().size(), all.split("<text", -1).length - 1);
  }
}
