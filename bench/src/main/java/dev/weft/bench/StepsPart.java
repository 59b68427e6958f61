// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.MathMode;
import dev.weft.bench.measure.Jmh;
import dev.weft.bench.measure.StepBenchmark;
import dev.weft.bench.peer.Mlp;
import dev.weft.bench.peer.Side;
import dev.weft.bench.peer.Target;
import dev.weft.bench.report.Agreement;
import dev.weft.bench.report.Measurement;
import dev.weft.bench.report.Missing;
import dev.weft.bench.report.Part;
import dev.weft.bench.report.Ratio;
import dev.weft.bench.report.Results;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The training steps of Weft and of others. Before the clock runs, every side trains, and their
 * losses must agree; one that differs is timed all the same, and marked. Then each side is timed in
 * turn: Weft, DJL, Weft, DJL, and so on, so that a busy moment of the machine hits all.
 */
final class StepsPart {
  /** The largest relative difference of losses in float32: sums in another order. */
  static final double STRICT = 1e-4;

  /** That of the mean loss where products are rounded to 7 bits. */
  static final double ROUNDED = 0.05;

  private record Contestant(Side side, MathMode mode) {
    String who() {
      return side.label() + " " + mode;
    }
  }

  /** A network on a device. */
  record Row(Target target, Mlp mlp, int turns) {
    /** By which {@code --only} finds it. */
    String name() {
      return "step " + mlp.network() + ", " + mlp.size();
    }
  }

  private StepsPart() {}

  private static List<Mlp> headlines() {
    return List.of(
        Mlp.of(64, 784, 100, 100, 10),
        Mlp.of(128, 784, 512, 512, 10),
        Mlp.of(1024, 784, 2048, 2048, 10),
        Mlp.of(256, 4096, 4096, 4096, 4096, 4096));
  }

  /** The same networks with other batches; the larger ones on a GPU alone. */
  private static List<Mlp> others(Target target) {
    List<Mlp> others = new ArrayList<>();
    for (int batch : new int[] {16, 256, 1024}) {
      others.add(Mlp.of(batch, 784, 100, 100, 10));
    }
    for (int batch : new int[] {32, 512, 2048}) {
      others.add(Mlp.of(batch, 784, 512, 512, 10));
    }
    others.add(Mlp.of(128, 784, 2048, 2048, 10));
    others.add(Mlp.of(64, 4096, 4096, 4096, 4096, 4096));
    if (target == Target.CUDA) {
      others.add(Mlp.of(8192, 784, 2048, 2048, 10));
      others.add(Mlp.of(1024, 4096, 4096, 4096, 4096, 4096));
      others.add(Mlp.of(8192, 4096, 4096, 4096, 4096, 4096));
    }
    return others;
  }

  /** The names of all rows. */
  static List<String> names(Settings settings) {
    return all(settings).stream().map(Row::name).distinct().toList();
  }

  /** Those that were asked for. */
  static List<Row> rows(Settings settings) {
    return all(settings).stream().filter(row -> settings.wants(row.name())).toList();
  }

  /** Headlines first, on every device, so that {@code --minutes} cuts what matters least. */
  private static List<Row> all(Settings settings) {
    List<Row> rows = new ArrayList<>();
    for (Mlp mlp : headlines()) {
      settings.targets().forEach(target -> rows.add(new Row(target, mlp, settings.turns(1, 5))));
    }
    for (Target target : settings.targets()) {
      others(target).forEach(mlp -> rows.add(new Row(target, mlp, settings.turns(1, 2))));
    }
    return rows;
  }

  /**
   * Trains, compares and times. A side that cannot train is left out; where that is Weft, or Weft
   * does not train alike, the run {@linkplain Results#failed has failed}.
   */
  static void run(Settings settings, Results results) {
    List<Row> rows = rows(settings);
    Map<Target, List<Contestant>> contestants = new TreeMap<>();
    for (Target target : settings.targets()) {
      contestants.put(target, contestants(settings, target, results));
    }
    Map<String, double[]> references = new TreeMap<>();
    Progress progress = new Progress(settings, "steps", rows.size());
    for (Row row : rows) {
      progress.next(
          format("%s, %s, %s", row.target().word(), row.mlp().network(), row.mlp().size()));
      double[] reference;
      try {
        reference =
            references.computeIfAbsent(
                row.mlp().toString(),
                key ->
                    LossRun.losses(
                        Side.WEFT,
                        row.mlp(),
                        MathMode.STRICT,
                        Target.CPU,
                        settings.threads(),
                        row.target() == Target.CPU));
      } catch (LossRun.FailedException e) {
        // what nothing can be compared with is not timed
        leaveOut(new Contestant(Side.WEFT, MathMode.STRICT), Target.CPU, row.mlp(), e, results);
        continue;
      }
      List<Contestant> sides = new ArrayList<>();
      for (Contestant side : contestants.get(row.target())) {
        try {
          Agreement agreement = agreement(settings, row, side, reference);
          results.add(agreement);
          if (!agreement.holds()) {
            differs(side, step(side.who(), row.target(), row.mlp()), agreement, results);
          }
          sides.add(side);
        } catch (LossRun.FailedException e) {
          leaveOut(side, row.target(), row.mlp(), e, results);
        }
      }
      if (!sides.isEmpty()) {
        measure(settings, row, sides, results);
      }
    }
  }

  private static void leaveOut(
      Contestant side, Target target, Mlp mlp, RuntimeException why, Results results) {
    fail(side.side(), step(side.who(), target, mlp), why.getMessage(), results);
  }

  private static void differs(Contestant side, String what, Agreement agreement, Results results) {
    fail(side.side(), what, agreement.complaint(), results);
  }

  private static String step(String who, Target target, Mlp mlp) {
    return format("%s on %s, a step of %s, %s", who, target.word(), mlp.network(), mlp.size());
  }

  /** Of a peer it is said; of Weft it is a failure of the run. */
  static void fail(Side side, String what, String why, Results results) {
    if (side == Side.WEFT) {
      Progress.fail(results, Part.STEPS, what, why);
    } else {
      System.out.println("  " + why);
      results.add(new Missing(what, why));
    }
  }

  private static List<Contestant> contestants(Settings settings, Target target, Results results) {
    List<Contestant> all = new ArrayList<>();
    for (Side side : Side.values()) {
      if (side != Side.WEFT && !settings.peers().contains(side)) {
        continue;
      }
      String missing = side == Side.WEFT ? null : side.missing(target);
      if (missing == null) {
        side.modes().stream()
            .filter(mode -> side != Side.WEFT || settings.modes().contains(mode))
            .forEach(mode -> all.add(new Contestant(side, mode)));
      } else {
        results.add(new Missing(side.label() + " on " + target.word(), missing));
      }
    }
    return all;
  }

  /** Trains and compares. */
  private static Agreement agreement(
      Settings settings, Row row, Contestant side, double[] reference) {
    double[] losses =
        LossRun.losses(
            side.side(),
            row.mlp(),
            side.mode(),
            row.target(),
            settings.threads(),
            row.target() == Target.CPU || side.side() != Side.WEFT);
    if (losses.length != reference.length || losses.length == 0) {
      throw new LossRun.FailedException(
          format("%d losses beside %d", losses.length, reference.length), null);
    }
    return new Agreement(
        row.mlp().network(),
        row.mlp().batch(),
        side.who(),
        row.target().device(),
        losses.length,
        losses[0],
        losses[losses.length - 1],
        side.mode() == MathMode.STRICT
            ? difference(losses, reference)
            : difference(mean(losses), mean(reference)),
        side.mode() == MathMode.STRICT ? STRICT : ROUNDED);
  }

  /** Single losses of small batches part ways when products are rounded; their mean does not. */
  private static double[] mean(double[] losses) {
    return new double[] {Arrays.stream(losses).average().orElseThrow()};
  }

  /** The largest relative difference; NaN where a loss is. */
  static double difference(double[] losses, double[] reference) {
    double largest = 0;
    for (int i = 0; i < losses.length; i++) {
      double one = Math.abs(losses[i] - reference[i]) / Math.abs(reference[i]);
      largest = one > largest || Double.isNaN(one) ? one : largest;
    }
    return largest;
  }

  private static void measure(Settings settings, Row row, List<Contestant> sides, Results results) {
    Mlp mlp = row.mlp();
    int repeats = Settings.repeats(row.target(), 12.0 * mlp.parameters(), mlp.flops());
    List<Jmh.Task> tasks = new ArrayList<>();
    for (Contestant side : sides) {
      tasks.add(StepBenchmark.step(side.side(), mlp, side.mode(), row.target(), repeats));
    }
    List<Jmh.Outcome> outcomes = settings.jmh().inTurn(tasks, row.turns());
    List<Measurement> measured = new ArrayList<>();
    for (int i = 0; i < sides.size(); i++) {
      Contestant side = sides.get(i);
      Jmh.Outcome outcome = outcomes.get(i);
      if (outcome.failure() != null) {
        fail(side.side(), step(side.who(), row.target(), mlp), outcome.failure(), results);
        continue;
      }
      measured.add(
          new Measurement(
              Part.STEPS,
              mlp.network(),
              mlp.size(),
              mlp.batch(),
              side.side().label(),
              side.mode().name(),
              row.target().device(),
              outcome.times(),
              0,
              mlp.flops()));
    }
    measured.forEach(results::add);
    Optional<Measurement> reference = measured.stream().filter(StepsPart::isReference).findFirst();
    for (Measurement one : measured) {
      String ratio =
          reference
              .filter(strict -> !one.isWeft())
              .map(strict -> format(", / %s %s", strict.who(), Ratio.of(one, strict).text()))
              .orElse("");
      System.out.printf(
          ROOT,
          "  %-18s %,10.1f us%s%s%n",
          one.who(),
          one.times().median(),
          ratio,
          results.disagrees(one) ? ", LOSSES DIFFER" : "");
    }
  }

  /** What others are printed beside: Weft in float32. */
  private static boolean isReference(Measurement one) {
    return one.isWeft() && one.mode().equals(MathMode.STRICT.name());
  }
}
