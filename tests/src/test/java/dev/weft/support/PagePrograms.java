// SPDX-License-Identifier: Apache-2.0
package dev.weft.support;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** The Java programs of a page in {@code docs}, whose comments say what their lines print. */
public final class PagePrograms {
  private static final Path DOCS = Path.of(System.getProperty("weft.root"), "docs");
  private static final Pattern FENCE = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
  private static final Pattern PRINTED = Pattern.compile("System\\.out\\.println\\(.*\\); // (.*)");

  private PagePrograms() {}

  /** The text of a page. */
  public static String text(String page) throws IOException {
    return Files.readString(DOCS.resolve(page));
  }

  /** The programs of a page. */
  public static List<String> of(String page) throws IOException {
    return FENCE.matcher(text(page)).results().map(fence -> fence.group(1)).toList();
  }

  /** What a program says that it prints. */
  public static List<String> said(String program) {
    return PRINTED.matcher(program).results().map(line -> line.group(1)).toList();
  }

  /** What a program prints. */
  public static List<String> printed(String name, String program, Path folder) throws Exception {
    Path source = folder.resolve(name + ".java");
    Files.writeString(
        source,
        """
        import dev.weft.*;
        import dev.weft.check.*;
        import dev.weft.data.*;
        import dev.weft.nn.*;
        import dev.weft.optim.*;
        import dev.weft.report.*;
        import dev.weft.train.*;
        import java.util.*;
        public class %s { public static void main(String[] args) throws Exception {
        %s}}
        """
            .formatted(name, program));
    return SourceFile.run(source, folder).lines().toList();
  }

  /** Runs programs, each of which must print what it says. */
  public static void assertPrintWhatTheySay(List<String> programs, Path folder) throws Exception {
    for (int i = 0; i < programs.size(); i++) {
      String program = programs.get(i);
      assertEquals(said(program), printed("Page" + i, program, folder), program);
    }
  }
}
