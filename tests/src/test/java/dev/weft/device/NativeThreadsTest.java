// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weft.support.Beside;
import dev.weft.support.Emulator;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The programs of {@code native/tests}: the CPU library's threads without kernels. */
@Beside
class NativeThreadsTest {
  private record Said(int status, String words) {}

  private static Path program(String name) {
    return Emulator.folder().resolveSibling("tests").resolve(name);
  }

  private static Said run(String name, Object... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(program(name).toString()));
    List.of(arguments).forEach(argument -> command.add(argument.toString()));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    System.out.printf("%s: %s", String.join(" ", command), said);
    return new Said(process.waitFor(), said);
  }

  private static void check(Said said) {
    assertEquals(0, said.status(), said.words());
  }

  private static void loops(int seconds, long seed) throws IOException, InterruptedException {
    check(run("weft-pool-test", seconds, seed));
  }

  private static void sanitizedLoops(int seconds, long seed)
      throws IOException, InterruptedException {
    String name = "weft-pool-test-sanitized";
    assumeTrue(Files.exists(program(name)), "the compiler has no -fsanitize=thread");
    Said said = run(name, seconds, seed);
    assumeFalse(
        said.words().contains("unexpected memory mapping"),
        "the thread sanitizer does not know this kernel's layout of memory");
    check(said);
  }

  @Test
  void everyUnitOfALoopRunsOnce() throws IOException, InterruptedException {
    loops(2, 1);
  }

  @Test
  void theThreadSanitizerFindsNothing() throws IOException, InterruptedException {
    sanitizedLoops(3, 1);
  }

  @Test
  @Tag("long")
  void everyUnitOfALoopRunsOnceForMinutes() throws IOException, InterruptedException {
    loops(300, System.nanoTime());
    sanitizedLoops(300, System.nanoTime());
  }

  @Test
  void theFasterNumberOfThreadsIsFoundAndKept() throws IOException, InterruptedException {
    check(run("weft-governor-test"));
  }

  @Test
  void wrongUseIsAnError() throws IOException, InterruptedException {
    Said said = run("weft-pool-test");
    assertNotEquals(0, said.status());
    assertEquals("usage: weft-pool-test SECONDS SEED", said.words().strip());
  }
}
