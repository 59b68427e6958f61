// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.support.SourceFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's Java is Java: every example compiles, and the short ones print what they say. */
class ReadmeTest {
  private static final Path README = Path.of(System.getProperty("weft.root"), "README.md");
  private static final Pattern EXAMPLE = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
  private static final String IMPORTS =
      """
      import dev.weft.*;
      import dev.weft.check.*;
      import dev.weft.data.*;
      import dev.weft.nn.*;
      import dev.weft.optim.*;
      import dev.weft.train.*;
      import java.nio.file.Path;
      import java.util.Arrays;
      import java.util.Map;
      """;

  @TempDir Path folder;

  static List<String> examples() throws IOException {
    List<String> examples = new ArrayList<>();
    Matcher matcher = EXAMPLE.matcher(Files.readString(README));
    while (matcher.find()) {
      examples.add(matcher.group(1));
    }
    return examples;
  }

  /** A class that has an example as the body of its main. */
  static String program(String name, String body) {
    return IMPORTS
        + "public class %s { public static void main(String[] args) throws Exception {\n%s}}"
            .formatted(name, body);
  }

  /** Compiles an example as a program; returns what the compiler said. */
  private String compile(String name, String body) throws IOException {
    Path source = folder.resolve(name + ".java");
    Files.writeString(source, program(name, body));
    return SourceFile.compile(source, folder);
  }

  private String run(String name) throws Exception {
    return SourceFile.run(name, folder);
  }

  @Test
  void everyExampleCompiles() throws IOException {
    List<String> examples = examples();
    assertEquals(9, examples.size());
    for (int i = 0; i < examples.size(); i++) {
      assertEquals("", compile("Example" + i, examples.get(i)));
    }
  }

  @Test
  void aWrongExampleDoesNotCompile() throws IOException {
    assertTrue(compile("Wrong", "Device device = Device.gpu();").contains("gpu"));
  }

  @Test
  void theTapePrintsTheGradientThatItsCommentSays() throws Exception {
    String example = examples().get(2);
    assertEquals("", compile("Gradient", example));
    String printed = run("Gradient");
    assertFalse(printed.isEmpty());
    assertTrue(example.contains("// " + printed), printed);
  }

  @Test
  void theRunEndsEarlyAndSaysWhy() throws Exception {
    String example = examples().get(3).replace("Device.best()", "Device.cpu()");
    assertEquals("", compile("Early", example));
    String printed = run("Early");
    assertTrue(printed.contains("loss ") && printed.contains("top_2_accuracy 1.000"), printed);
    assertTrue(printed.contains(", best: epoch "), printed);
  }

  @Test
  void theLoopPrintsLossesThatFall() throws Exception {
    assertEquals("", compile("Loop", examples().get(4)));
    double[] losses = run("Loop").lines().mapToDouble(Double::parseDouble).toArray();
    assertTrue(losses.length > 1 && losses[losses.length - 1] < losses[0] / 2);
  }

  @Test
  void modelsOfTextRun() throws Exception {
    for (int i : new int[] {5, 6}) {
      assertEquals("", compile("Text" + i, examples().get(i)));
      assertEquals("", run("Text" + i));
    }
  }

  @Test
  void theGradientCheckPasses() throws Exception {
    assertEquals("", compile("Check", examples().get(7)));
    assertEquals("", run("Check"));
  }

  @Test
  void theProfilePrintsItsTables() throws Exception {
    // the best device may be the emulator here, whose ceilings take hours
    String example = examples().get(8).replace("Device.best()", "Device.cpu()");
    assertEquals("", compile("Profiled", example));
    String printed = run("Profiled");
    assertTrue(printed.startsWith("step "), printed);
    assertTrue(printed.contains("\n0 linear(784,512) relu, backward "), printed);
  }

  @Test
  void whatItLinksToIsThere() throws IOException {
    Matcher link = Pattern.compile("\\]\\(([^)#:]+)\\)").matcher(Files.readString(README));
    int links = 0;
    while (link.find()) {
      links++;
      assertTrue(Files.exists(README.resolveSibling(link.group(1))), link.group(1));
    }
    assertTrue(links >= 4);
  }
}
