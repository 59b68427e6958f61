// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.company;

import static dev.weft.format.Format.format;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weft.bench.measure.ChildFailedException;
import dev.weft.bench.measure.ChildJava;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A process that lives on and answers a line with a line. */
final class Child implements AutoCloseable {
  private static final String END = "";
  private static final int SECONDS = 60;
  private static final int GRACE = 300; // milliseconds

  private final String name;
  private final Process process;
  private final Path errors;
  private final BufferedWriter asking;
  private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

  /**
   * Starts it.
   *
   * @param name what it is called where it fails
   * @throws ChildFailedException where it cannot be started
   */
  Child(String name, List<String> command) {
    this.name = name;
    try {
      errors = Files.createTempFile("weft-bench", ".log");
      ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
      builder.environment().remove("OMP_NUM_THREADS"); // the default is that of who sets nothing
      process = builder.start();
    } catch (IOException e) {
      throw new ChildFailedException("cannot start " + name, e);
    }
    asking = process.outputWriter(UTF_8);
    Thread.ofPlatform().daemon().start(this::read);
  }

  private void read() {
    try (BufferedReader said = process.inputReader(UTF_8)) {
      said.lines().filter(line -> !line.isEmpty()).forEach(lines::add);
    } catch (IOException | UncheckedIOException e) {
      // it was ended while it spoke
    } finally {
      lines.add(END);
    }
  }

  long pid() {
    return process.pid();
  }

  /** The time that it has had on all processors, nanoseconds. */
  long processorTime() {
    return process.info().totalCpuDuration().map(Duration::toNanos).orElse(0L);
  }

  /** Says a line to it. */
  void ask(String line) {
    try {
      asking.write(line);
      asking.newLine();
      asking.flush();
    } catch (IOException e) {
      throw failed();
    }
  }

  /**
   * Its next line that begins with {@code mark}; what else libraries print is passed over.
   *
   * @throws ChildFailedException where it ends first, or says nothing for a minute
   */
  String answer(String mark) {
    try {
      // second by second: a machine that stood still, as virtual ones do, is not a child that hangs
      for (int second = 0; second < SECONDS; second++) {
        String line = lines.poll(1, TimeUnit.SECONDS);
        while (line != null && !line.startsWith(mark)) {
          if (line.equals(END)) {
            throw failed();
          }
          line = lines.poll();
        }
        if (line != null) {
          return line;
        }
      }
      throw new ChildFailedException(format("%s: no answer in %d s", name, SECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ChildFailedException("interrupted", e);
    }
  }

  private ChildFailedException failed() {
    try {
      do { // Ctrl-C ends children before it is known here; then nothing failed
        Thread.sleep(GRACE);
      } while (Scope.isEnding());
      return ChildJava.failed(name, process.waitFor(), Files.readString(errors));
    } catch (IOException e) {
      return new ChildFailedException(name + " ended", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new ChildFailedException("interrupted", e);
    }
  }

  /** Ends it. */
  @Override
  public void close() throws IOException {
    process.destroyForcibly().onExit().join();
    Files.deleteIfExists(errors);
  }
}
