// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.measure;

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
public final class ChildJava {
  private static final int TAIL = 2000;

  private ChildJava() {}

  /**
   * Runs {@code main} to its end.
   *
   * @param options of the Java machine, beside this one's
   * @return the lines that it printed
   * @throws ChildFailedException where it fails, with the end of what it said
   */
  public static List<String> run(
      Class<?> main, int threads, List<String> options, List<String> arguments) {
    List<String> all = new ArrayList<>(Threads.options(threads));
    all.addAll(options);
    List<String> command = command(main, all, arguments);
    try {
      Path errors = Files.createTempFile("weft-bench", ".log");
      try {
        Process process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
        String said = new String(process.getInputStream().readAllBytes(), UTF_8);
        int code = process.waitFor();
        if (code != 0) {
          String what = main.getSimpleName() + " " + arguments;
          throw failed(what, code, Files.readString(errors) + said);
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

  /** The command line that runs {@code main} with this machine's class path and options. */
  public static List<String> command(Class<?> main, List<String> options, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(options);
    command.add(main.getName());
    command.addAll(arguments);
    return command;
  }

  /** What is said of a child that ended with an error: its exit code and the end of its output. */
  public static ChildFailedException failed(String what, int code, String said) {
    String tail = said.substring(Math.max(0, said.length() - TAIL));
    return new ChildFailedException(format("%s failed with %d: ...%s", what, code, tail));
  }
}
