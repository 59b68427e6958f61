// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.optim.Schedule;
import dev.weft.support.PagePrograms;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What docs/optimizers.md says of schedules and of finding a rate is there. */
class SchedulesPageTest {
  private static final Pattern ROW = Pattern.compile("\\| `(?:s\\.)?([a-z]\\w+)\\(.*");

  @TempDir private Path folder;

  private static String page() throws IOException {
    String page = PagePrograms.text("optimizers.md");
    return page.substring(page.indexOf("\n## Schedules\n"));
  }

  @Test
  void itsProgramsPrintWhatTheySay() throws Exception {
    var programs = PagePrograms.of("optimizers.md");
    assertTrue(programs.size() >= 4, "there are programs");
    PagePrograms.assertPrintWhatTheySay(programs, folder);
  }

  /** Every schedule has its row, and no row is of another. */
  @Test
  void itsSchedulesAreThoseOfTheInterface() throws IOException {
    Set<String> methods =
        Arrays.stream(Schedule.class.getMethods())
            .map(Method::getName)
            .filter(name -> !name.equals("factor"))
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> rows =
        page()
            .lines()
            .map(ROW::matcher)
            .filter(row -> row.matches())
            .map(row -> row.group(1))
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(methods, rows);
  }

  /** Every word of its column of commands is one, and every form has one. */
  @Test
  void itsWordsAreThoseOfTheCommand() throws IOException {
    Set<String> words =
        page()
            .lines()
            .filter(line -> line.startsWith("| `"))
            .map(line -> line.split("\\|")[3])
            .flatMap(cell -> Pattern.compile("`([^`]+)`").matcher(cell).results())
            .map(code -> code.group(1))
            .filter(word -> !word.startsWith("--"))
            .collect(Collectors.toCollection(TreeSet::new));
    words.forEach(word -> Course.of(word, word, 5));
    Set<String> forms =
        words.stream().map(word -> word.replaceFirst(":.*", "")).collect(Collectors.toSet());
    String said =
        assertThrows(IllegalArgumentException.class, () -> Course.of("none", "none", 5))
            .getMessage();
    Set<String> all =
        Arrays.stream(said.replaceFirst(".*: use ", "").split(", "))
            .map(form -> form.replaceFirst("[\\[:].*", ""))
            .collect(Collectors.toCollection(TreeSet::new));
    all.remove("plateau");
    assertEquals(all, forms);
  }
}
