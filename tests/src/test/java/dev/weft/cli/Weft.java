// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.io.StandardOutput;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The command, run within the test. */
final class Weft {
  private Weft() {}

  /** What a command left behind. */
  record Run(int code, String out, String err) {

    Run succeeded() {
      assertEquals(0, code, () -> out + err);
      assertEquals("", err);
      return this;
    }

    /** One sentence on the error stream that contains {@code words}, and no stack trace. */
    Run failed(int wanted, String... words) {
      assertEquals(wanted, code, () -> out + err);
      assertTrue(err.startsWith("weft: "), err);
      assertFalse(err.contains("\tat "), err);
      assertFalse(err.contains("Exception"), err);
      for (String each : words) {
        assertTrue(err.contains(each), () -> "'" + each + "' is not in: " + err);
      }
      return this;
    }
  }

  /** Runs it as if its output went to a file. */
  static Run run(Object... arguments) {
    return run(Screen.Kind.PLAIN, arguments);
  }

  /** Runs it. */
  static Run run(Screen.Kind kind, Object... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    return run(kind, out, StandardOutput.Reader.NONE, arguments);
  }

  /** Runs it with its output going to {@code out}. */
  static Run run(
      Screen.Kind kind, OutputStream out, StandardOutput.Reader reader, Object... arguments) {
    StringWriter err = new StringWriter();
    StandardOutput output = new StandardOutput(out, reader);
    Screen screen =
        new Screen(
            new PrintWriter(output, false, StandardCharsets.UTF_8),
            new PrintWriter(err),
            kind,
            100,
            StandardCharsets.UTF_8,
            output::failure);
    String[] words = new String[arguments.length];
    for (int i = 0; i < words.length; i++) {
      words[i] = arguments[i].toString();
    }
    int code = Main.run(screen, words);
    String said =
        out instanceof ByteArrayOutputStream bytes ? bytes.toString(StandardCharsets.UTF_8) : "";
    return new Run(code, said, err.toString());
  }

  /** A process of its own with the class path of the tests. */
  static ProcessBuilder process(String main, String... arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                main));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command);
  }
}
