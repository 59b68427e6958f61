// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

import static dev.weft.format.Format.format;

import dev.weft.DeviceKind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** The tables of a run. */
public final class Tables {
  private static final String NONE = "";
  private static final String APART = "; that of embedding is of rows apart in a table";
  private static final List<String> MODES = List.of("STRICT", "FAST", "BF16");

  private final Results results;

  /** Of a run. */
  public Tables(Results results) {
    this.results = results;
  }

  /** Those of a part; none where it was not measured. */
  public List<Table> of(Part part) {
    List<Table> tables =
        switch (part) {
          case CEILINGS -> List.of(copies(), products());
          case KERNELS -> List.of(kernels());
          case STEPS -> {
            List<Table> all = new ArrayList<>(List.of(steps(), agreements()));
            all.add(Company.table(results.company()));
            all.addAll(VectorTraining.tables(results.vectorTrainings()));
            all.add(VectorTask.table(results.vectorTasks()));
            yield all;
          }
          case SCALING -> List.of(scaling(), memory(), endurance());
          case HOST -> List.of(host());
        };
    return Stream.concat(tables.stream(), Stream.of(failures(part)))
        .filter(table -> !table.isEmpty())
        .toList();
  }

  private Table failures(Part part) {
    Table table = new Table("What failed", 3, "row", "", "why");
    results.failures().stream()
        .filter(one -> one.part() == part)
        .forEach(one -> table.add(one.what(), "FAIL", one.why()));
    return table;
  }

  private Table copies() {
    Table table = new Table("Copies" + APART, 2, "device", "size", "us", "5 %", "95 %", "GB/s");
    for (Measurement one : results.of(Part.CEILINGS)) {
      if (one.group().equals(Roofs.COPY)) {
        table.add(
            one.device(),
            one.name(),
            micros(one.times().median()),
            micros(one.times().low()),
            micros(one.times().high()),
            format("%.1f", one.gigabytesPerSecond()));
      }
    }
    return table;
  }

  private Table products() {
    Table table =
        new Table(
            "Products: the ceiling of arithmetic",
            3,
            "device",
            "side",
            "m x k x n",
            "us",
            "5 %",
            "95 %",
            "GFLOP/s",
            "of the best");
    for (Measurement one : results.of(Part.CEILINGS)) {
      if (one.group().equals(Roofs.GEMM)) {
        table.add(
            one.device(),
            one.who(),
            one.name(),
            micros(one.times().median()),
            micros(one.times().low()),
            micros(one.times().high()),
            format("%.0f", one.gigaflops()),
            percent(Roofs.of(results, one.device()).share(one)));
      }
    }
    return table;
  }

  private Table kernels() {
    List<Measurement> kernels = results.where(one -> one.part() == Part.KERNELS);
    List<String> others =
        kernels.stream()
            .map(Measurement::side)
            .filter(side -> !side.equals(Measurement.WEFT) && !side.equals(Measurement.COPY))
            .distinct()
            .toList();
    List<String> heads =
        new ArrayList<>(
            List.of(
                "device",
                "kernel",
                "operands",
                "us",
                "5 %",
                "95 %",
                "expected, us",
                "GB/s",
                "GFLOP/s",
                "of the ceiling"));
    others.forEach(other -> heads.add(other + " / Weft"));
    Table table =
        new Table("Kernels, float32, beside copies" + APART, 3, heads.toArray(String[]::new));
    for (Measurement one : kernels) {
      if (!one.isWeft()) {
        continue;
      }
      Optional<Double> share = Roofs.of(results, one.device()).share(one);
      List<String> cells =
          new ArrayList<>(
              List.of(
                  one.device(),
                  one.name(),
                  one.group(),
                  micros(one.times().median()),
                  micros(one.times().low()),
                  micros(one.times().high()),
                  share.map(part -> micros(part * one.times().median())).orElse(NONE),
                  format("%.1f", one.gigabytesPerSecond()),
                  one.flops() == 0 ? NONE : format("%.1f", one.gigaflops()),
                  percent(share)));
      for (String other : others) {
        cells.add(
            twin(one, other, one.mode(), one.device())
                .map(beside -> Ratio.of(beside, one).text())
                .orElse(NONE));
      }
      table.add(cells.toArray(String[]::new));
    }
    return table;
  }

  private Table steps() {
    List<String> modes =
        results.where(one -> one.part() == Part.STEPS && one.isWeft()).stream()
            .map(Measurement::mode)
            .distinct()
            .toList();
    List<String> heads =
        new ArrayList<>(
            List.of(
                "device", "network", "batch", "side", "us", "5 %", "95 %", "GFLOP/s", "of gemm"));
    modes.forEach(mode -> heads.add("/ Weft " + mode));
    Table table =
        new Table(
            "One training step; the last columns: its time / Weft's, above 1 Weft is faster",
            4,
            heads.toArray(String[]::new));
    for (Measurement one : results.of(Part.STEPS)) {
      List<String> cells =
          new ArrayList<>(
              List.of(
                  one.device(),
                  one.group(),
                  format("%.0f", one.x()),
                  one.who() + (results.disagrees(one) ? ", losses differ" : NONE),
                  micros(one.times().median()),
                  micros(one.times().low()),
                  micros(one.times().high()),
                  format("%.0f", one.gigaflops()),
                  percent(
                      Roofs.of(results, one.device())
                          .gemm(one.mode())
                          .map(roof -> one.gigaflops() / roof))));
      for (String mode : modes) {
        cells.add(
            one.isWeft() || !comparable(one.mode(), mode)
                ? NONE
                : twin(one, Measurement.WEFT, mode, one.device())
                    .map(weft -> Ratio.of(one, weft).text())
                    .orElse(NONE));
      }
      table.add(cells.toArray(String[]::new));
    }
    return table;
  }

  private Table agreements() {
    Table table =
        new Table(
            "Losses, compared with Weft STRICT on the CPU before the clock ran",
            3,
            "device",
            "network",
            "side",
            "batch",
            "steps",
            "first loss",
            "last loss",
            "difference",
            "allowed",
            "");
    for (Agreement one : results.agreements()) {
      table.add(
          one.device(),
          one.network(),
          one.who(),
          Integer.toString(one.batch()),
          Integer.toString(one.steps()),
          format("%.5g", one.first()),
          format("%.5g", one.last()),
          format("%.1e", one.difference()),
          format("%.0e", one.allowed()),
          one.holds() ? NONE : "FAIL");
    }
    return table;
  }

  /** Every varied quantity with its points and how far they are from a line. */
  private Table scaling() {
    Table table =
        new Table(
            "Time against size: a + b x through the points, the largest distance from it",
            3,
            "device",
            "varied",
            "mode",
            "x",
            "us",
            "line, us",
            "off",
            "largest",
            "fixed, us");
    for (List<Measurement> points : scalingSeries().values()) {
      if (points.size() < 3) {
        continue;
      }
      LinearFit fit = fit(points);
      for (Measurement point : points) {
        double line = fit.at(point.x());
        boolean first = point == points.getFirst();
        table.add(
            point.device(),
            point.group(),
            point.mode(),
            format("%.0f", point.x()),
            micros(point.times().median()),
            micros(line),
            format("%+.1f %%", 100 * (point.times().median() / line - 1)),
            first ? format("%.1f %%", 100 * fit.deviation()) : NONE,
            first ? micros(fit.fixed()) : NONE);
      }
    }
    return table;
  }

  /** The points of scaling, by device, quantity and mode. */
  Map<String, List<Measurement>> scalingSeries() {
    Map<String, List<Measurement>> series = new LinkedHashMap<>();
    for (Measurement one : results.of(Part.SCALING)) {
      String key = one.device() + " " + one.group() + " " + one.mode();
      series.computeIfAbsent(key, unseen -> new ArrayList<>()).add(one);
    }
    return series;
  }

  /** The line through the medians. */
  public static LinearFit fit(List<Measurement> points) {
    return LinearFit.of(
        points.stream().mapToDouble(Measurement::x).toArray(),
        points.stream().mapToDouble(point -> point.times().median()).toArray());
  }

  private Table memory() {
    Table table =
        new Table(
            "Device memory of training beside parameters x (value + gradient + state) + data"
                + " + one batch of activations and of the widest hidden gradient",
            4,
            "device",
            "varied",
            "network",
            "optimizer",
            "formula, MB",
            "peak, MB",
            "off",
            "live after");
    for (Memory one : results.memory()) {
      boolean far = Math.abs(one.deviation()) > Memory.TOLERANCE;
      table.add(
          one.device(),
          one.group(),
          one.network(),
          one.optimizer(),
          format("%.2f", one.formulaBytes() / 1e6),
          format("%.2f", one.peakBytes() / 1e6),
          format("%+.1f %%%s", 100 * one.deviation(), far ? " (more than 10 %)" : NONE),
          Long.toString(one.liveAfter()));
    }
    return table;
  }

  private Table endurance() {
    Table table =
        new Table(
            "Memory at its peak after some epochs and after twice as many; it may grow by 1 %",
            1,
            "device",
            "epochs",
            "process, MB",
            "after twice",
            "growth",
            "device, MB",
            "after twice",
            "growth",
            "holds");
    for (Endurance one : results.endurance()) {
      table.add(
          one.device(),
          Integer.toString(one.epochs()),
          format("%.2f", one.hostBytes() / 1e6),
          format("%.2f", one.hostBytesTwice() / 1e6),
          format("%.2f %%", 100 * one.hostGrowth()),
          format("%.2f", one.deviceBytes() / 1e6),
          format("%.2f", one.deviceBytesTwice() / 1e6),
          format("%.2f %%", 100 * one.deviceGrowth()),
          one.holds() ? "yes" : "NO");
    }
    return table;
  }

  private Table host() {
    Table table =
        new Table(
            "Host cost of the CUDA path: emulated driver that does nothing, NOT a GPU figure",
            1,
            "operation",
            "ns",
            "lowest",
            "highest",
            "garbage, bytes");
    for (Measurement one : results.of(Part.HOST)) {
      table.add(
          one.name(),
          format("%.0f", 1e3 * one.times().median()),
          format("%.0f", 1e3 * one.times().low()),
          format("%.0f", 1e3 * one.times().high()),
          one.times().garbage() == null ? NONE : format("%.2f", one.times().garbage()));
    }
    return table;
  }

  /** The GPU's speed-up over the processor, for everything of Weft that both ran. */
  public Table compare() {
    Table table =
        new Table(
            "Weft on the GPU beside Weft on the CPU",
            4,
            "part",
            "what",
            "size",
            "mode",
            "CPU, us",
            "GPU, us",
            "speed-up");
    for (Measurement gpu : gpuMeasurements()) {
      twin(gpu, gpu.side(), gpu.mode(), "cpu")
          .ifPresent(
              cpu ->
                  table.add(
                      gpu.part().word(),
                      gpu.group(),
                      gpu.name(),
                      gpu.mode(),
                      micros(cpu.times().median()),
                      micros(gpu.times().median()),
                      format("%.1fx", cpu.times().median() / gpu.times().median())));
    }
    return table;
  }

  /** Whether the other side is no less precise than Weft. */
  static boolean comparable(String other, String weft) {
    return MODES.indexOf(other) <= MODES.indexOf(weft);
  }

  /** What Weft ran on a GPU. */
  List<Measurement> gpuMeasurements() {
    return results.where(
        one ->
            one.isWeft()
                && one.part() != Part.HOST
                && DeviceKind.of(one.device()) == DeviceKind.CUDA);
  }

  /** The same thing by another side, in another arithmetic or on another device. */
  Optional<Measurement> twin(Measurement of, String side, String mode, String device) {
    return results
        .where(
            one ->
                one.part() == of.part()
                    && one.group().equals(of.group())
                    && one.name().equals(of.name())
                    && one.side().equals(side)
                    && one.mode().equals(mode)
                    && one.device().equals(device))
        .stream()
        .findFirst();
  }

  private static String micros(double value) {
    return value < 10
        ? format("%.2f", value)
        : value < 100 ? format("%.1f", value) : format("%,.0f", value);
  }

  private static String percent(Optional<Double> share) {
    return share.map(value -> format("%.0f %%", 100 * value)).orElse(NONE);
  }
}
