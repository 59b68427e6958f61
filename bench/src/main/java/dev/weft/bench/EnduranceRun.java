// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static java.util.Locale.ROOT;

import dev.weft.MathMode;
import dev.weft.bench.measure.ChildJava;
import dev.weft.bench.peer.Mlp;
import dev.weft.bench.peer.Target;
import dev.weft.bench.peer.WeftTraining;
import dev.weft.bench.report.Endurance;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * Trains some epochs, then as many again, in a process of its own, and prints the most memory that
 * was in use after each. Java's heap is small and all there from the start, so that growth of the
 * process is growth of what is outside it.
 */
final class EnduranceRun {
  private static final String MARK = "bytes ";
  private static final List<String> HEAP = List.of("-Xms96m", "-Xmx96m", "-XX:+AlwaysPreTouch");
  private static final Mlp SMALL = Mlp.digits(128, 100, 1, 4096);

  private EnduranceRun() {}

  /** Arguments: target, epochs. */
  public static void main(String[] arguments) throws IOException {
    int epochs = Integer.parseInt(arguments[1]);
    Target target = Target.valueOf(arguments[0]);
    try (WeftTraining training = new WeftTraining(SMALL, MathMode.STRICT, target.open())) {
      train(training, epochs);
      long host = peakOfProcess();
      long device = training.peakBytes();
      train(training, epochs);
      System.out.printf(
          ROOT, "%s%d %d %d %d%n", MARK, host, peakOfProcess(), device, training.peakBytes());
    }
  }

  private static void train(WeftTraining training, int epochs) {
    for (int step = 0; step < epochs * SMALL.examples() / SMALL.batch(); step++) {
      training.step();
    }
    training.finish();
  }

  /** The largest resident memory so far. */
  private static long peakOfProcess() throws IOException {
    try (var lines = Files.lines(Path.of("/proc/self/status"))) {
      return lines
          .filter(line -> line.startsWith("VmHWM:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D+", "")) << 10)
          .findFirst()
          .orElseThrow(() -> new IOException("/proc/self/status has no VmHWM"));
    }
  }

  /** Runs it. */
  static Endurance run(Target target, int epochs, int threads) {
    List<String> printed =
        ChildJava.run(
            EnduranceRun.class, threads, HEAP, List.of(target.name(), Integer.toString(epochs)));
    long[] bytes =
        printed.stream()
            .filter(line -> line.startsWith(MARK))
            .flatMap(line -> Arrays.stream(line.substring(MARK.length()).split(" ")))
            .mapToLong(Long::parseLong)
            .toArray();
    return new Endurance(target.device(), epochs, bytes[0], bytes[1], bytes[2], bytes[3]);
  }
}
