// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code .mvn/Contract.java} says of a contract that cannot be right. */
class ContractGeneratorTest {
  private static final Path ROOT = Path.of(System.getProperty("weft.root"));

  @TempDir private static Path classes;
  @TempDir private Path folder;

  @BeforeAll
  static void compile() {
    String program = ROOT.resolve(".mvn/Contract.java").toString();
    JavaCompiler javac = ToolProvider.getSystemJavaCompiler();
    assertEquals(0, javac.run(null, null, null, "-d", classes.toString(), program));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          rows.h | P(y, OUT, T, n) | P(y, OUT, T, m) | WEFT_FILL, y: 'm' in 'm' is no field of the struct
          rows.h | K(TYPED, fill, fill | K(TYPED, fill, full | fill: there is no struct full
          loss.h | BELOW(classes) | UNDER(classes) | WEFT_SOFTMAX_CROSS_ENTROPY, labels: there is no option UNDER
          elementwise.h | AS(x, BF16) | AS(x, BF16), RACES(x) | bf16_to_f32: RACES(x) names no pointer, or one that another option names
          """)
  void aWrongContractIsRefused(String file, String text, String doctored, String sentence)
      throws IOException, InterruptedException {
    Path abi = copy();
    String right = Files.readString(abi.resolve(file));
    String wrong = right.replace(text, doctored);
    assertNotEquals(right, wrong, "the test did not change " + file);
    Files.writeString(abi.resolve(file), wrong);
    String said = generate(abi, 1);
    assertEquals(format("ERROR: %s: %s", abi, sentence), said.strip());
  }

  /** The build's own contract, as a check of this test. */
  @Test
  void theContractIsAccepted() throws IOException, InterruptedException {
    Path made = Files.createDirectories(folder.resolve("java/dev/weft/device"));
    Files.writeString(made.resolve("OfAnEarlierContract.java"), "");
    assertEquals("", generate(copy(), 0));
    assertTrue(Files.exists(made.resolve("Arguments.java")));
    assertTrue(Files.notExists(made.resolve("OfAnEarlierContract.java")));
  }

  private Path copy() throws IOException {
    Path abi = Files.createDirectory(folder.resolve("abi"));
    try (Stream<Path> files = Files.list(ROOT.resolve("native/abi"))) {
      for (Path one : files.toList()) {
        Files.copy(one, abi.resolve(one.getFileName()));
      }
    }
    return abi;
  }

  private String generate(Path abi, int expected) throws IOException, InterruptedException {
    Process java =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                classes.toString(),
                "Contract",
                abi.toString(),
                folder.resolve("java").toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(java.getInputStream().readAllBytes());
    assertEquals(expected, java.waitFor(), said);
    return said;
  }
}
