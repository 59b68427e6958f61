// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static dev.weft.format.Format.format;

import dev.weft.MathMode;
import dev.weft.bench.kernel.KernelCase;
import dev.weft.bench.kernel.KernelSize;
import dev.weft.bench.measure.Jmh;
import dev.weft.bench.measure.KernelBenchmark;
import dev.weft.bench.peer.Target;
import dev.weft.bench.report.Measurement;
import dev.weft.bench.report.Part;
import dev.weft.bench.report.Results;
import dev.weft.bench.report.Roofs;
import dev.weft.device.Cost;
import java.util.List;
import java.util.stream.Stream;

/** Every kernel by itself. */
final class KernelsPart {
  /** Operands in a cache, and in memory. */
  static final List<KernelSize> SIZES = List.of(KernelSize.CACHE, KernelSize.MEMORY);

  /** The yardstick, which is a ceiling and no row here. */
  static final String COPY = "copy";

  /** What is measured where {@code --only} asks for no function by its name. */
  private static final List<String> USUAL =
      List.of(
          "fill",
          "relu_forward",
          "relu_backward",
          "relu_gradients",
          "tanh_forward",
          "gelu_forward",
          "gelu_backward",
          "softmax_cross_entropy",
          "dropout",
          "layer_norm_forward",
          "layer_norm_backward",
          "sgd_momentum",
          "adam",
          "sum_of_rows",
          "sum_of_columns",
          "sum_of_all",
          "gather_rows_u8",
          "transpose",
          "exp_forward",
          "exp_backward",
          "multiply_forward",
          "multiply_backward",
          "sum_backward",
          "max_backward",
          "gather_rows",
          "gather_rows_backward",
          "gather_labels",
          "argmax",
          "to_bf16",
          "from_bf16",
          "random_uniform",
          "random_normal");

  /** A kernel on operands of a size. */
  record Row(KernelCase kernel, KernelSize size) {
    String name() {
      return kernel.name() + ", " + size.word();
    }
  }

  private KernelsPart() {}

  /** The names of the usual rows. */
  static List<String> names() {
    return rows().filter(KernelsPart::isUsual).map(Row::name).toList();
  }

  /** Measures, copies of that size first where nobody did: shares are of those. */
  static void run(Settings settings, Results results) {
    List<Row> chosen = rows(settings);
    List<KernelSize> uncopied =
        SIZES.stream()
            .filter(size -> chosen.stream().anyMatch(row -> row.size() == size))
            .filter(size -> !isCopied(size, results))
            .toList();
    int targets = settings.targets().size();
    Progress progress =
        new Progress(settings, "kernels", targets * (chosen.size() + uncopied.size()));
    CeilingsPart.copies(settings, uncopied, results, progress);
    Jmh jmh = settings.jmh();
    for (Target target : settings.targets()) {
      for (Row row : chosen) {
        String name = format("%s, %s", target.word(), row.name());
        progress.next(name);
        Cost cost = row.kernel().cost();
        int repeats = Settings.repeats(target, cost.bytes(), cost.flops());
        Progress.done(
            results,
            Part.KERNELS,
            name,
            jmh.run(
                KernelBenchmark.task(row.kernel().name(), row.size(), target, repeats),
                settings.turns(1, 2)),
            times ->
                new Measurement(
                    Part.KERNELS,
                    row.size().word(),
                    row.kernel().name(),
                    0,
                    Measurement.WEFT,
                    MathMode.STRICT.name(),
                    target.device(),
                    times,
                    cost.bytes(),
                    cost.flops()));
      }
    }
  }

  private static boolean isCopied(KernelSize size, Results results) {
    return results.of(Part.CEILINGS).stream()
        .anyMatch(one -> one.group().equals(Roofs.COPY) && one.name().equals(size.word()));
  }

  /** Those that were asked for; a size alone asks for the usual ones. */
  static List<Row> rows(Settings settings) {
    return rows()
        .filter(row -> settings.wants(row.name()))
        .filter(row -> isUsual(row) || !settings.wants(", " + row.size().word()))
        .toList();
  }

  private static boolean isUsual(Row row) {
    return USUAL.contains(row.kernel().name());
  }

  /** The usual ones first, in their order. */
  private static Stream<Row> rows() {
    List<Row> all =
        SIZES.stream()
            .flatMap(size -> size.timed().stream().map(one -> new Row(one, size)))
            .filter(row -> !row.kernel().name().equals(COPY))
            .toList();
    Stream<Row> usual =
        SIZES.stream().flatMap(size -> USUAL.stream().map(name -> new Row(size.timed(name), size)));
    return Stream.concat(usual, all.stream().filter(row -> !isUsual(row)));
  }
}
