// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import dev.weft.bench.Jmh.Sample;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The bandwidth of single kernels on the CPU, beside that of a copy of the same size. */
final class KernelTable {
  /**
   * A kernel on a size.
   *
   * @param gigabytesPerSecond bytes that must be read and written / time
   * @param shareOfCopy that bandwidth / a copy's
   */
  record Row(
      String kernel, String size, Sample micros, double gigabytesPerSecond, double shareOfCopy) {}

  private KernelTable() {}

  static List<Row> run(Settings settings) {
    Jmh jmh = new Jmh(settings);
    List<Row> rows = new ArrayList<>();
    Table table = new Table("kernel", "rows x cols", "us", "5 %", "95 %", "GB/s", "of a copy");
    for (KernelSize size : KernelSize.values()) {
      double copy = Double.NaN;
      for (KernelCase kernel : KernelCase.values()) {
        String name = kernel.name().toLowerCase(Locale.ROOT);
        if (kernel != KernelCase.COPY && !settings.wants(name)) {
          continue;
        }
        System.out.printf("kernels: %s, %d x %d ...%n", name, size.rows(), size.cols());
        Sample time = jmh.run(KernelBenchmark.class, "run", Map.of("kernel", kernel, "size", size));
        double rate = kernel.bytesPerElement() * size.elements() / time.median() / 1e3;
        copy = kernel == KernelCase.COPY ? rate : copy;
        Row row = new Row(name, size.rows() + " x " + size.cols(), time, rate, rate / copy);
        rows.add(row);
        table.add(
            name,
            row.size(),
            "%.2f".formatted(time.median()),
            "%.2f".formatted(time.low()),
            "%.2f".formatted(time.high()),
            "%.1f".formatted(rate),
            "%.0f %%".formatted(100 * row.shareOfCopy()));
      }
    }
    table.print("Kernels on the CPU, float32");
    return rows;
  }
}
