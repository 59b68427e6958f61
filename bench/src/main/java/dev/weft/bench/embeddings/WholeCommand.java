// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.embeddings;

import static dev.weft.format.Format.format;

import dev.weft.bench.company.Others;
import dev.weft.bench.company.Scope;
import dev.weft.bench.measure.ChildFailedException;
import dev.weft.bench.measure.ChildJava;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A process from its start to its end.
 *
 * @param seconds on the clock
 * @param peakMib the most resident memory that Linux has seen
 * @param disturbance processors that other processes took meanwhile; 0 where they are too few to
 *     disturb
 * @param said the end of what it printed
 */
record WholeCommand(double seconds, double peakMib, double disturbance, String said) {
  private static final int LOOK = 50; // milliseconds: short beside a training, long beside a look
  private static final int TAIL = 4000;
  private static final double SECOND = 1e9;
  private static final double KIB_OF_A_MIB = 1024;
  private static final Pattern PEAK = Pattern.compile("VmHWM:\\s*(\\d+) kB");
  private static final Pattern RATE = Pattern.compile("\\(([\\d,]+) tokens/s\\)");

  /**
   * Runs it to its end.
   *
   * @param scope ends it where this process is told to end
   * @throws ChildFailedException where it fails, with the end of what it said
   */
  static WholeCommand run(
      String name, List<String> command, Map<String, String> environment, Scope scope)
      throws IOException {
    Path log = Files.createTempFile("weft-bench", ".log");
    try {
      ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
      builder.redirectOutput(log.toFile()).redirectInput(Path.of("/dev/null").toFile());
      builder.environment().putAll(environment);
      AtomicLong processors = new AtomicLong();
      Others others = new Others(processors::get);
      long start = System.nanoTime();
      Process process = builder.start();
      scope.add(() -> process.destroyForcibly().onExit().join());
      double peak = 0;
      do {
        peak = Math.max(peak, peak(process));
        process.info().totalCpuDuration().map(Duration::toNanos).ifPresent(processors::set);
      } while (!process.waitFor(LOOK, TimeUnit.MILLISECONDS));
      double seconds = (System.nanoTime() - start) / SECOND;
      double taken = others.processors();
      String said = Files.readString(log, StandardCharsets.ISO_8859_1);
      if (process.exitValue() != 0) {
        throw ChildJava.failed(name, process.exitValue(), said);
      }
      String tail = said.substring(Math.max(0, said.length() - TAIL));
      return new WholeCommand(seconds, peak, taken > Others.DISTURBED ? taken : 0, tail);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ChildFailedException(format("%s: interrupted", name), e);
    } finally {
      Files.delete(log);
    }
  }

  private static double peak(Process process) {
    try {
      String status = Files.readString(Path.of("/proc", Long.toString(process.pid()), "status"));
      Matcher peak = PEAK.matcher(status);
      return peak.find() ? Long.parseLong(peak.group(1)) / KIB_OF_A_MIB : 0;
    } catch (IOException e) {
      return 0; // it has ended
    }
  }

  /** Words/s of training, as Weft's command says; 0 where it did not. */
  double ownRate() {
    Matcher rate = RATE.matcher(said);
    return rate.find() ? Double.parseDouble(rate.group(1).replace(",", "")) : 0;
  }
}
