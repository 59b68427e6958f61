// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Another JVM with this one's class path: native libraries are loaded, and environment variables
 * read, once in a process. No variable of Weft's, CUDA's or OpenMP's is passed on but those given.
 */
public final class ChildJvm {
  private static final long MINUTES = 3;

  private final Class<?> main;
  private final List<String> options = new ArrayList<>();
  private final Map<String, String> environment = new LinkedHashMap<>();
  private String classPath = System.getProperty("java.class.path");

  /** A JVM that runs {@code main}. */
  public ChildJvm(Class<?> main) {
    this.main = main;
  }

  public ChildJvm property(String name, Object value) {
    options.add("-D" + name + "=" + value);
    return this;
  }

  public ChildJvm option(String option) {
    options.add(option);
    return this;
  }

  public ChildJvm variable(String name, Object value) {
    environment.put(name, value.toString());
    return this;
  }

  /** Puts a jar or folder before the class path. */
  ChildJvm before(Path entry) {
    classPath = entry + File.pathSeparator + classPath;
    return this;
  }

  /** A JVM that was started. */
  record Started(Process process, Path output) {
    /** What it printed, when it has ended well. */
    String await() {
      try {
        boolean ended = process.waitFor(MINUTES, TimeUnit.MINUTES);
        process.destroyForcibly();
        String said = Files.readString(output);
        Files.delete(output);
        assertTrue(ended, () -> "ran for more than " + MINUTES + " minutes: " + said);
        assertEquals(0, process.exitValue(), said);
        return said;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(e);
      }
    }
  }

  Started start(String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1"));
    command.addAll(options);
    command.addAll(List.of("-cp", classPath, main.getName()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().keySet().removeIf(name -> name.matches("(WEFT|CUDA|OMP)_.*"));
    builder.environment().remove("JAVA_TOOL_OPTIONS"); // it would print that it read them
    builder.environment().putAll(environment);
    try {
      Path output = Files.createTempFile("weft-child", ".txt");
      return new Started(builder.redirectOutput(output.toFile()).start(), output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs it to its end; what it printed. */
  public String run(String... arguments) {
    return start(arguments).await();
  }
}
