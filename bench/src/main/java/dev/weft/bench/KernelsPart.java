// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

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

  private KernelsPart() {}

  private static Stream<KernelCase> kernels() {
    return Stream.of(KernelCase.values()).filter(kernel -> kernel != KernelCase.COPY);
  }

  /** The names of all rows. */
  static List<String> names() {
    return kernels().map(KernelCase::word).toList();
  }

  /** Measures, copies first where nobody did: shares are of those. */
  static void run(Settings settings, Results results) {
    List<KernelCase> kernels = kernels().filter(kernel -> settings.wants(kernel.word())).toList();
    boolean copied =
        results.of(Part.CEILINGS).stream().anyMatch(one -> one.group().equals(Roofs.COPY));
    int rows = settings.targets().size() * SIZES.size();
    Progress progress =
        new Progress(settings, "kernels", rows * kernels.size() + (copied ? 0 : rows));
    if (!copied) {
      CeilingsPart.copies(settings, results, progress);
    }
    Jmh jmh = settings.jmh();
    for (Target target : settings.targets()) {
      for (KernelSize size : SIZES) {
        for (KernelCase kernel : kernels) {
          progress.next("%s, %s, %s".formatted(target.word(), kernel.word(), size.word()));
          Cost cost = kernel.cost(size);
          int repeats = Settings.repeats(target, cost.bytes(), cost.flops());
          results.add(
              new Measurement(
                  Part.KERNELS,
                  size.word(),
                  kernel.word(),
                  0,
                  Measurement.WEFT,
                  MathMode.STRICT.name(),
                  target.device(),
                  jmh.run(
                      KernelBenchmark.task(kernel, size, target, repeats), settings.turns(1, 2)),
                  cost.bytes(),
                  cost.flops()));
        }
      }
    }
  }
}
