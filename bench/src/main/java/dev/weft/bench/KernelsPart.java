// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static dev.weft.format.Format.format;

import dev.weft.MathMode;
import dev.weft.bench.kernel.EmbeddingCases;
import dev.weft.bench.kernel.KernelCase;
import dev.weft.bench.kernel.KernelSize;
import dev.weft.bench.measure.Jmh;
import dev.weft.bench.measure.KernelBenchmark;
import dev.weft.bench.measure.PeerKernelBenchmark;
import dev.weft.bench.peer.DjlKernel;
import dev.weft.bench.peer.Side;
import dev.weft.bench.peer.Target;
import dev.weft.bench.report.Measurement;
import dev.weft.bench.report.Missing;
import dev.weft.bench.report.Part;
import dev.weft.bench.report.Results;
import dev.weft.bench.report.Roofs;
import dev.weft.device.Cost;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Every kernel by itself. */
final class KernelsPart {
  /** Operands in a cache, in memory, and those of an embedding. */
  static final List<KernelSize> SIZES =
      List.of(KernelSize.CACHE, KernelSize.MEMORY, KernelSize.EMBEDDING);

  /** Of functions, what is measured where {@code --only} asks for none by its name. */
  private static final Pattern USUAL =
      Pattern.compile(
          "relu_.*|(tanh|gelu)_forward|gelu_backward|(exp|multiply)_.*|sum_of_(rows|columns|all)"
              + "|sum_backward");

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
        List<Turn> sides = new ArrayList<>();
        sides.add(new Turn(Measurement.WEFT, row.kernel(), ours(row.kernel(), row.size(), target)));
        if (hasPeer(settings, row, target)) {
          Jmh.Task peer = PeerKernelBenchmark.task(row.kernel().name(), row.size());
          sides.add(new Turn(Side.DJL.label(), row.kernel(), peer));
        }
        if (row.size() == KernelSize.MEMORY && target == Target.CPU) {
          // that of the start is of another minute, in which others may have used the memory more
          KernelCase copy = row.size().timed(KernelSize.COPY);
          sides.add(new Turn(Measurement.COPY, copy, ours(copy, row.size(), target)));
        }
        List<Jmh.Outcome> outcomes =
            jmh.inTurn(sides.stream().map(Turn::task).toList(), settings.turns(1, 2));
        Progress.done(
            results,
            Part.KERNELS,
            name,
            outcomes.getFirst(),
            times -> measurement(row, target, sides.getFirst(), times));
        for (int i = 1; i < sides.size(); i++) {
          Turn side = sides.get(i);
          Jmh.Outcome outcome = outcomes.get(i);
          if (outcome.failure() == null) {
            results.add(measurement(row, target, side, outcome.times()));
          } else {
            results.add(new Missing(side.label() + ", " + name, outcome.failure()));
          }
        }
      }
    }
  }

  /** What is measured in turn with others: who runs what. */
  private record Turn(String label, KernelCase kernel, Jmh.Task task) {}

  private static Jmh.Task ours(KernelCase kernel, KernelSize size, Target target) {
    Cost cost = kernel.cost();
    int repeats = Settings.repeats(target, cost.bytes(), cost.flops());
    return KernelBenchmark.task(kernel.name(), size, target, repeats);
  }

  private static boolean hasPeer(Settings settings, Row row, Target target) {
    return target == Target.CPU
        && row.size() != KernelSize.EMBEDDING
        && settings.peers().contains(Side.DJL)
        && Side.DJL.missing(target) == null
        && DjlKernel.names().contains(row.kernel().name());
  }

  private static Measurement measurement(
      Row row, Target target, Turn side, Measurement.Times times) {
    Cost cost = side.kernel().cost();
    return new Measurement(
        Part.KERNELS,
        row.size().word(),
        row.kernel().name(),
        0,
        side.label(),
        MathMode.STRICT.name(),
        target.device(),
        times,
        cost.bytes(),
        cost.flops());
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
    if (row.size() == KernelSize.EMBEDDING) {
      return true;
    }
    String name = row.kernel().name();
    return row.kernel().isOfOneFunction()
        ? !EmbeddingCases.PARTS.contains(row.kernel().kernel()) && !name.endsWith("_of_columns")
        : USUAL.matcher(name).matches();
  }

  /** The usual ones first. */
  private static Stream<Row> rows() {
    Map<Boolean, List<Row>> all =
        SIZES.stream()
            .flatMap(size -> size.timed().stream().map(one -> new Row(one, size)))
            .filter(row -> !row.kernel().name().equals(KernelSize.COPY)) // which is a ceiling
            .collect(Collectors.partitioningBy(KernelsPart::isUsual));
    return Stream.concat(all.get(true).stream(), all.get(false).stream());
  }
}
