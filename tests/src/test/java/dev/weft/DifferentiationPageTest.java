// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.support.SourceFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The programs of docs/differentiation.md run, and each line that prints says what. */
class DifferentiationPageTest {
  private static final Path PAGE =
      Path.of(System.getProperty("weft.root"), "docs", "differentiation.md");
  private static final Pattern FENCE = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
  private static final Pattern PRINTED = Pattern.compile("System\\.out\\.println\\(.*\\); // (.*)");

  @TempDir Path folder;

  private List<String> run(String name, String program) throws Exception {
    Path source = folder.resolve(name + ".java");
    Files.writeString(
        source,
        """
        import dev.weft.*;
        import dev.weft.check.*;
        import dev.weft.nn.*;
        import java.util.*;
        public class %s { public static void main(String[] args) throws Exception {
        %s}}
        """
            .formatted(name, program));
    return SourceFile.run(source, folder).lines().toList();
  }

  private static List<String> said(String program) {
    return PRINTED.matcher(program).results().map(line -> line.group(1)).toList();
  }

  private static List<String> programs() throws IOException {
    return FENCE
        .matcher(Files.readString(PAGE))
        .results()
        .map((MatchResult fence) -> fence.group(1))
        .toList();
  }

  @Test
  void itsProgramsPrintWhatTheySay() throws Exception {
    List<String> programs = programs();
    assertTrue(programs.size() > 5, "there are programs");
    for (int i = 0; i < programs.size(); i++) {
      assertEquals(said(programs.get(i)), run("Page" + i, programs.get(i)), programs.get(i));
    }
  }

  @Test
  void whatIsNotPrintedIsNoticed() throws Exception {
    String program = "System.out.println(1 + 1); // 3\n";
    assertEquals(List.of("3"), said(program));
    assertEquals(List.of("2"), run("Wrong", program));
  }
}
