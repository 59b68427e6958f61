// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import dev.weft.bench.Jmh.Sample;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The rate of float32 products on the CPU. */
final class GemmTable {
  /** A shape in one layout. */
  record Row(String shape, String form, Sample micros, double gflops) {}

  private GemmTable() {}

  static List<Row> run(Settings settings) {
    Jmh jmh = new Jmh(settings);
    List<Row> rows = new ArrayList<>();
    Table table = new Table("m x k x n", "form", "us", "5 %", "95 %", "GFLOP/s");
    for (GemmShape shape : GemmShape.values()) {
      for (GemmForm form : GemmForm.values()) {
        String name = form.name().toLowerCase(Locale.ROOT);
        if (!settings.wants("gemm " + shape + " " + name)) {
          continue;
        }
        System.out.printf("gemm: %s %s ...%n", shape, name);
        Sample time = jmh.run(GemmBenchmark.class, "run", Map.of("shape", shape, "form", form));
        Row row = new Row(shape.toString(), name, time, shape.flops() / time.median() / 1e3);
        rows.add(row);
        table.add(
            row.shape(),
            name,
            "%.1f".formatted(time.median()),
            "%.1f".formatted(time.low()),
            "%.1f".formatted(time.high()),
            "%.0f".formatted(row.gflops()));
      }
    }
    table.print("Products on the CPU, float32");
    return rows;
  }
}
