// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static dev.weft.format.Format.format;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weft.bench.peer.Threads;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A class run in a Java machine of its own, with this one's class path and options. */
final class ChildJava {
  private static final int TAIL = 2000;

  private ChildJava() {}

  /**
   * Runs {@code main} to its end.
   *
   * @param options of the Java machine, beside this one's
   * @return the lines that it printed
   * @throws ChildFailedException where it fails, with the end of what it said
   */
  static List<String> run(
      Class<?> main, int threads, List<String> options, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(Threads.options(threads));
    command.addAll(options);
    command.add(main.getName());
    command.addAll(arguments);
    try {
      Path errors = Files.createTempFile("weft-bench", ".log");
      try {
        Process process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
        String said = new String(process.getInputStream().readAllBytes(), UTF_8);
        int code = process.waitFor();
        if (code != 0) {
          String all = Files.readString(errors) + said;
          throw new ChildFailedException(
              format(
                  "%s %s failed with %d: ...%s",
                  main.getSimpleName(),
                  arguments,
                  code,
                  all.substring(Math.max(0, all.length() - TAIL))));
        }
        return said.lines().toList();
      } finally {
        Files.delete(errors);
      }
    } catch (IOException e) {
      throw new ChildFailedException("cannot start a Java machine", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ChildFailedException("interrupted", e);
    }
  }
}
