// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import dev.weft.MathMode;
import dev.weft.bench.measure.HostCostBenchmark;
import dev.weft.bench.measure.IdleDriver;
import dev.weft.bench.measure.Jmh;
import dev.weft.bench.report.Measurement;
import dev.weft.bench.report.Missing;
import dev.weft.bench.report.Part;
import dev.weft.bench.report.Results;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the CUDA path costs on the host, over an emulated driver that does nothing. */
final class HostPart {
  /** The benchmark's methods, and what each is. */
  private static final Map<String, String> OPERATIONS = operations();

  private static Map<String, String> operations() {
    Map<String, String> operations = new LinkedHashMap<>();
    operations.put("step", "a replayed training step");
    operations.put("launch", "one launch (bias + ReLU), not recorded");
    operations.put("gemm", "one cuBLAS product, not recorded");
    return operations;
  }

  private HostPart() {}

  /** By which {@code --only} finds it. */
  private static String row(String name) {
    return "host " + name;
  }

  /** The names of all rows. */
  static List<String> names() {
    return OPERATIONS.values().stream().map(HostPart::row).toList();
  }

  static void run(Settings settings, Results results) {
    String missing = IdleDriver.missing();
    if (missing != null) {
      results.add(new Missing("Host cost", missing));
      return;
    }
    Map<String, String> operations = new LinkedHashMap<>(OPERATIONS);
    operations.values().removeIf(name -> !settings.wants(row(name)));
    Progress progress = new Progress(settings, "host", operations.size());
    Jmh jmh = settings.jmh();
    operations.forEach(
        (method, name) -> {
          progress.next(name);
          Progress.done(
              results,
              Part.HOST,
              name,
              jmh.run(Jmh.Task.of(HostCostBenchmark.class, method), settings.turns(1, 3)),
              times ->
                  new Measurement(
                      Part.HOST,
                      "",
                      name,
                      0,
                      Measurement.WEFT,
                      MathMode.STRICT.name(),
                      "cpu",
                      times,
                      0,
                      0));
        });
  }
}
