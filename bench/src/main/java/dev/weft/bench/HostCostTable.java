// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import dev.weft.bench.Jmh.Sample;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What the CUDA path costs on the host. */
final class HostCostTable {
  /** One operation. */
  record Row(String operation, Sample nanos) {}

  private HostCostTable() {}

  /** Measures; where there is no emulator, says so and returns nothing. */
  static List<Row> run(Settings settings) {
    String missing = IdleDriver.missing();
    if (missing != null) {
      System.out.printf("%nHost cost: not measured, %s%n", missing);
      return List.of();
    }
    Jmh jmh = new Jmh(settings);
    List<Row> rows = new ArrayList<>();
    Table table = new Table("operation", "ns", "lowest", "highest", "garbage, bytes");
    String[][] operations = {
      {"launch", "one launch (bias + ReLU)"},
      {"gemm", "one cuBLAS product"},
      {"step", "a replayed training step"}
    };
    for (String[] operation : operations) {
      if (!settings.wants("host " + operation[1])) {
        continue;
      }
      System.out.printf("host: %s ...%n", operation[1]);
      Sample time = jmh.run(HostCostBenchmark.class, operation[0], Map.of());
      rows.add(new Row(operation[1], time));
      table.add(
          operation[1],
          "%.0f".formatted(time.median()),
          "%.0f".formatted(time.low()),
          "%.0f".formatted(time.high()),
          "%.1f".formatted(time.bytesPerOperation()));
    }
    table.print("Host cost of the CUDA path: emulated driver that does nothing, NOT a GPU figure");
    return rows;
  }
}
