// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import dev.weft.bench.Jmh.Sample;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * The training steps of Weft and DJL. Before the clock runs, both sides train side by side and
 * their losses must agree. Then each side is timed in Java machines of its own, in turn: Weft, DJL,
 * Weft, DJL, and so on, so that a busy moment of the machine hits both.
 */
final class StepTable {
  /** The largest relative difference that losses may have: float32 sums in another order. */
  static final double TOLERANCE = 1e-4;

  /**
   * The losses of both sides over the first steps.
   *
   * @param difference the largest relative one
   */
  record Losses(int steps, double first, double lastWeft, double lastDjl, double difference) {}

  /** One turn of both sides, medians in microseconds. */
  record Turn(Sample weft, Sample djl, double ratio) {}

  /**
   * A shape.
   *
   * @param weftMicros median of the turns
   * @param djlMicros median of the turns
   * @param ratio median of the turns' ratios, DJL / Weft: above 1 Weft is faster
   */
  record Row(
      String shape,
      Losses losses,
      double weftMicros,
      double djlMicros,
      double ratio,
      double lowestRatio,
      double highestRatio,
      double weftGflops,
      List<Turn> turns) {}

  private StepTable() {}

  static List<Row> run(Settings settings) {
    Jmh jmh = new Jmh(settings);
    List<Row> rows = new ArrayList<>();
    Table table =
        new Table(
            "784-H-H-10",
            "Weft, us",
            "DJL, us",
            "ratio",
            "lowest",
            "highest",
            "Weft GFLOP/s",
            "loss, both",
            "after steps");
    for (MlpShape shape : MlpShape.values()) {
      if (!settings.wants("step " + shape)) {
        continue;
      }
      System.out.printf("steps: %s ...%n", shape);
      Row row = row(shape, compareLosses(shape), turns(jmh, shape, settings.choose(1, 5)));
      rows.add(row);
      table.add(
          row.shape(),
          "%.0f".formatted(row.weftMicros()),
          "%.0f".formatted(row.djlMicros()),
          "%.2f".formatted(row.ratio()),
          "%.2f".formatted(row.lowestRatio()),
          "%.2f".formatted(row.highestRatio()),
          "%.0f".formatted(row.weftGflops()),
          "%.4f %.4f".formatted(row.losses().lastWeft(), row.losses().lastDjl()),
          Integer.toString(row.losses().steps()));
    }
    table.print("One training step on the CPU, float32: time of DJL / time of Weft");
    return rows;
  }

  private static Losses compareLosses(MlpShape shape) {
    try (var device = dev.weft.Device.cpu();
        TrainingStep weft = new WeftTraining(shape, device);
        TrainingStep djl = new DjlTraining(shape)) {
      double first = Double.NaN;
      double ours = Double.NaN;
      double theirs = Double.NaN;
      double difference = 0;
      for (int step = 0; step < shape.checkedSteps(); step++) {
        ours = weft.stepAndLoss();
        theirs = djl.stepAndLoss();
        first = step == 0 ? ours : first;
        difference = Math.max(difference, Math.abs(ours - theirs) / Math.abs(theirs));
      }
      if (!(difference <= TOLERANCE) || !(ours < 0.95 * first)) {
        throw new IllegalStateException(
            ("%s: the sides do not train alike: loss %.5f at first, %.5f by Weft and %.5f by DJL"
                    + " after %d steps, largest relative difference %.1e")
                .formatted(shape, first, ours, theirs, shape.checkedSteps(), difference));
      }
      return new Losses(shape.checkedSteps(), first, ours, theirs, difference);
    }
  }

  private static List<Turn> turns(Jmh jmh, MlpShape shape, int count) {
    List<Turn> turns = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Sample weft = jmh.run(StepBenchmark.class, "weft", Map.of("shape", shape));
      Sample djl = jmh.run(StepBenchmark.class, "djl", Map.of("shape", shape));
      turns.add(new Turn(weft, djl, djl.median() / weft.median()));
      System.out.printf("  Weft %.0f us, DJL %.0f us%n", weft.median(), djl.median());
    }
    return turns;
  }

  private static Row row(MlpShape shape, Losses losses, List<Turn> turns) {
    double[] weft = turns.stream().mapToDouble(turn -> turn.weft().median()).sorted().toArray();
    double[] djl = turns.stream().mapToDouble(turn -> turn.djl().median()).sorted().toArray();
    double[] ratios = turns.stream().mapToDouble(Turn::ratio).sorted().toArray();
    return new Row(
        shape.toString(),
        losses,
        median(weft),
        median(djl),
        median(ratios),
        ratios[0],
        ratios[ratios.length - 1],
        shape.flops() / median(weft) / 1e3,
        turns);
  }

  /** Of values in ascending order. */
  private static double median(double[] sorted) {
    int middle = sorted.length / 2;
    return Arrays.stream(sorted, (sorted.length - 1) / 2, middle + 1).average().orElseThrow();
  }
}
