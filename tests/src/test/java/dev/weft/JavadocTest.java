// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.support.SourceFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.DocumentationTool;
import javax.tools.JavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Javadoc of what users write against is complete, and its examples are programs. */
class JavadocTest {
  private static final Path CORE = Path.of(System.getProperty("weft.root"), "java/core");
  private static final Path SNIPPETS = CORE.resolve("src/snippets");
  private static final Pattern PRINTED = Pattern.compile("System\\.out\\.println\\(.*\\); // (.*)");

  @TempDir Path folder;

  /** What javadoc says, but where a sentence stands for @param and @return. */
  private List<String> said(Path sources, String... what) {
    List<String> options = new ArrayList<>();
    options.addAll(List.of("-quiet", "--release", "25", "-Xmaxwarns", "10000", "--no-fonts"));
    options.addAll(List.of("-Xdoclint:all", "-protected", "-d", folder.resolve("html") + ""));
    options.addAll(List.of("-cp", System.getProperty("java.class.path")));
    options.addAll(List.of("-sourcepath", sources.toString(), "--snippet-path", SNIPPETS + ""));
    options.addAll(List.of(what));
    DocumentationTool tool = ToolProvider.getSystemDocumentationTool();
    DiagnosticCollector<JavaFileObject> said = new DiagnosticCollector<>();
    tool.getTask(null, null, said, null, options, null).call();
    return said.getDiagnostics().stream()
        .filter(one -> one.getKind() != Diagnostic.Kind.NOTE)
        .map(Diagnostic::toString)
        .filter(words -> !words.matches("(?s).*warning: \\S+ @(param|return|throws)\\b.*"))
        .toList();
  }

  @Test
  void theUsersPackagesAreDocumented() throws IOException {
    Path overview = CORE.resolve("src/main/javadoc/overview.html");
    List<String> said =
        said(
            CORE.resolve("src/main/java"),
            "-subpackages",
            "dev.weft",
            "-exclude",
            System.getProperty("weft.packages.internal"),
            "-overview",
            overview.toString());
    assertEquals(List.of(), said);
    assertTrue(Files.exists(folder.resolve("html/dev/weft/nn/Linear.html")));
    assertTrue(Files.notExists(folder.resolve("html/dev/weft/device/Kernel.html")));
    assertTrue(Files.readString(folder.resolve("html/index.html")).contains("Digits.generate"));
  }

  @Test
  void picturesAreDocumented() {
    Path sources = CORE.resolveSibling("report/src/main/java");
    assertEquals(List.of(), said(sources, "-subpackages", "dev.weft.report"));
    assertTrue(Files.exists(folder.resolve("html/dev/weft/report/Plot.html")));
  }

  @Test
  void whatIsMissingOrWrongIsNoticed() throws IOException {
    Path source = Files.createDirectory(folder.resolve("a")).resolve("Wrong.java");
    Files.writeString(
        source,
        """
        package a;
        /** Of {@link Absent}. {@snippet file="Examples.java" region="absent"} */
        public class Wrong {
          /** Nothing. */
          public Wrong() {}
          public void bare() {}
          /** Adds. */
          public int add(int a) { return a; }
        }
        """);
    List<String> said = said(folder, source.toString());
    assertEquals(3, said.size(), said::toString);
  }

  /** Each line that prints is followed by what it prints; in a loop, once for all turns. */
  @Test
  void theExamplesPrintWhatTheySay() throws Exception {
    Path examples = SNIPPETS.resolve("Examples.java");
    List<String> expected = new ArrayList<>();
    for (String line : Files.readAllLines(examples)) {
      PRINTED.matcher(line).results().map(match -> match.group(1)).forEach(expected::add);
    }
    List<String> printed = SourceFile.run(examples, folder).lines().toList();
    assertTrue(expected.size() > 10, expected::toString);
    assertEquals(distinctNeighbours(expected), distinctNeighbours(printed));
  }

  private static List<String> distinctNeighbours(List<String> lines) {
    List<String> distinct = new ArrayList<>();
    for (String line : lines) {
      if (distinct.isEmpty() || !distinct.getLast().equals(line)) {
        distinct.add(line);
      }
    }
    return distinct;
  }
}
