// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The README's pictures of training runs show what the commands print. */
class TrainingPictureTest {
  private static final Path FOLDER = Path.of(System.getProperty("weft.root"), "java", "cli");
  private static final String NETWORK = "training.svg";
  private static final String WORDS = "embed-training.svg";
  private static final Pattern LINE =
      Pattern.compile("<text x=\"14\" y=\"(\\d+)\" textLength=\"(\\d+)\">(.*)</text>");
  private static final double CHARACTER = 7.83;

  @TempDir private Path folder;

  private static List<MatchResult> lines(String picture) throws IOException {
    return LINE.matcher(Files.readString(FOLDER.resolve(picture))).results().toList();
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
    List<String> shown = lines(NETWORK).stream().map(line -> form(line.group(3))).toList();
    assertEquals("$ ./weft train --epochs N", shown.getFirst());
    assertEquals(printed.subList(0, 5), shown.subList(1, 6));
    List<String> epochs = shown.subList(5, shown.size() - 1);
    assertTrue(epochs.stream().allMatch(printed.get(4)::equals), epochs::toString);
    assertTrue(shown.getLast().matches("epoch N/N +N%.*"), shown::getLast);
  }

  private static String wordsForm(String line) {
    return form(line).strip().replaceAll("[a-z]+$", "word");
  }

  @Test
  void linesAboutWordsAreThoseOfTheCommand() throws IOException {
    Path text = folder.resolve("text.txt");
    Files.writeString(text, "one two three four five six seven ".repeat(1000));
    Path vectors = folder.resolve("vectors.bin");
    Stream<String> printed =
        Stream.concat(
            Weft.run("embed", "train", "-train", text, "-output", vectors, "-cbow", 0)
                .succeeded()
                .out()
                .lines()
                .map(line -> line.replace(vectors.toString(), "vectors.bin")),
            Weft.run("embed", "neighbours", vectors, "three", "--n", 1).succeeded().out().lines());
    Set<String> forms = printed.map(TrainingPictureTest::wordsForm).collect(Collectors.toSet());
    for (MatchResult line : lines(WORDS)) {
      String shown = wordsForm(line.group(3));
      assertTrue(shown.startsWith("$ ") || forms.contains(shown), () -> shown + " in " + forms);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {NETWORK, WORDS})
  void itsColumnsDoNotDependOnHowABrowserTreatsSpaces(String picture) throws IOException {
    String all = Files.readString(FOLDER.resolve(picture));
    for (MatchResult line : lines(picture)) {
      assertFalse(line.group(3).contains("  "), line::group);
      int length = line.group(3).length();
      assertEquals(CHARACTER * length, Integer.parseInt(line.group(2)), 2, line::group);
    }
    assertEquals(lines(picture).size(), all.split("<text", -1).length - 1);
  }
}
