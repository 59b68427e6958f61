// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Python with gensim, which apt-get install python3-gensim brings to the system's own Python. */
final class Gensim {
  private Gensim() {}

  /** What a program prints; the test is skipped where there is no gensim. */
  static String run(String program, Object... arguments) throws IOException, InterruptedException {
    for (String python : List.of("python3", "/usr/bin/python3")) {
      List<String> command = new ArrayList<>(List.of(python, "-c", program));
      Arrays.stream(arguments).map(Object::toString).forEach(command::add);
      if (command(python, "-c", "import importlib.util as u; exit(not u.find_spec('gensim'))")
              .waitFor()
          == 0) {
        Process process = command(command.toArray(String[]::new));
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
        return said;
      }
    }
    assumeTrue(false, "there is no gensim for python3 here: apt-get install python3-gensim");
    return "";
  }

  private static Process command(String... words) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(words);
    builder.environment().put("PYTHONIOENCODING", "utf-8");
    return builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
  }
}
