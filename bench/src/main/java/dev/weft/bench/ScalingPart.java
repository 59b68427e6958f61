// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static dev.weft.format.Format.format;

import dev.weft.MathMode;
import dev.weft.bench.measure.Jmh;
import dev.weft.bench.measure.StepBenchmark;
import dev.weft.bench.peer.Mlp;
import dev.weft.bench.peer.Side;
import dev.weft.bench.peer.Target;
import dev.weft.bench.peer.WeftTraining;
import dev.weft.bench.report.Measurement;
import dev.weft.bench.report.Memory;
import dev.weft.bench.report.Part;
import dev.weft.bench.report.Results;
import dev.weft.optim.Adam;
import dev.weft.optim.Optimizer;
import dev.weft.optim.Sgd;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Time and memory against batch, depth, width and data. Sizes are such that the fixed cost of a
 * step is small, and neighbours differ by a factor of two.
 */
final class ScalingPart {
  private static final int EPOCHS = 150;
  private static final int STEPS = 20;
  private static final String EPOCHS_ROW = "scaling epochs";

  /**
   * Networks that differ in one thing.
   *
   * @param quantity what differs
   * @param timed a step or an epoch
   */
  private record Series(String quantity, Timed timed, List<Point> points) {
    /** By which {@code --only} finds it. */
    String row() {
      return "scaling " + quantity;
    }
  }

  /** What is timed. */
  private enum Timed {
    STEP,
    EPOCH
  }

  private record Point(double x, Mlp mlp) {}

  private ScalingPart() {}

  private static List<Series> series() {
    List<Point> batch = new ArrayList<>();
    List<Point> depth = new ArrayList<>();
    List<Point> width = new ArrayList<>();
    List<Point> data = new ArrayList<>();
    for (int factor = 1; factor <= 8; factor *= 2) {
      batch.add(new Point(256 * factor, Mlp.digits(256 * factor, 1024, 2, 16384)));
      depth.add(new Point(factor, Mlp.digits(512, 1024, factor, 8192)));
      Mlp wide = Mlp.digits(512, 256 * factor, 2, 8192);
      width.add(new Point(wide.parameters(), wide));
      data.add(new Point(4096 * factor, Mlp.digits(128, 256, 2, 4096 * factor)));
    }
    return List.of(
        new Series("batch", Timed.STEP, batch),
        new Series("hidden layers", Timed.STEP, depth),
        new Series("parameters (width)", Timed.STEP, width),
        new Series("examples (an epoch)", Timed.EPOCH, data));
  }

  /** The names of all rows. */
  static List<String> names() {
    return Stream.concat(series().stream().map(Series::row), Stream.of(EPOCHS_ROW)).toList();
  }

  static void run(Settings settings, Results results) {
    List<Series> wanted = series().stream().filter(one -> settings.wants(one.row())).toList();
    boolean endurance = settings.wants(EPOCHS_ROW);
    int rows = wanted.size() * 2 + (endurance ? 1 : 0);
    Progress progress = new Progress(settings, "scaling", rows * settings.targets().size());
    for (Target target : settings.targets()) {
      for (Series one : wanted) {
        progress.next(format("%s, time against %s", target.word(), one.quantity()));
        time(settings, target, one, results);
        progress.next(format("%s, memory against %s", target.word(), one.quantity()));
        for (Point point : one.points()) {
          results.add(memory(target, one.quantity(), point, Sgd.rate(0.01).momentum(0.9)));
          results.add(memory(target, one.quantity(), point, Adam.rate(1e-3)));
        }
      }
      if (endurance) {
        progress.next(format("%s, memory against epochs", target.word()));
        results.add(EnduranceRun.run(target, EPOCHS, settings.threads()));
      }
    }
  }

  /** All points of a series in turn. */
  private static void time(Settings settings, Target target, Series series, Results results) {
    List<Jmh.Task> tasks = new ArrayList<>();
    for (Point point : series.points()) {
      Mlp mlp = point.mlp();
      int repeats = Settings.repeats(target, 12.0 * mlp.parameters(), mlp.flops());
      tasks.add(
          series.timed() == Timed.EPOCH
              ? StepBenchmark.epoch(Side.WEFT, mlp, MathMode.STRICT, target)
              : StepBenchmark.step(Side.WEFT, mlp, MathMode.STRICT, target, repeats));
    }
    List<Jmh.Outcome> outcomes = settings.jmh().inTurn(tasks, settings.turns(1, 3));
    for (int i = 0; i < tasks.size(); i++) {
      Point point = series.points().get(i);
      int steps = series.timed() == Timed.EPOCH ? point.mlp().examples() / point.mlp().batch() : 1;
      Progress.done(
          results,
          Part.SCALING,
          format("%s, %s %.0f", target.word(), series.quantity(), point.x()),
          outcomes.get(i),
          times ->
              new Measurement(
                  Part.SCALING,
                  series.quantity(),
                  format("%.0f", point.x()),
                  point.x(),
                  Measurement.WEFT,
                  MathMode.STRICT.name(),
                  target.device(),
                  times,
                  0,
                  steps * point.mlp().flops()));
    }
  }

  private static Memory memory(Target target, String quantity, Point point, Optimizer optimizer) {
    Mlp mlp = point.mlp();
    try (WeftTraining training = new WeftTraining(mlp, MathMode.STRICT, target.open(), optimizer)) {
      for (int step = 0; step < STEPS; step++) {
        training.step();
      }
      long peak = training.peakBytes();
      return new Memory(
          quantity,
          point.x(),
          format("%s, %s", mlp.network(), mlp.size()),
          optimizer.spec(),
          target.device(),
          formula(mlp, optimizer),
          peak,
          training.liveBytesAfterTraining());
    }
  }

  /**
   * parameters x (value + gradient + state) + data + a batch of activations + the widest gradient
   * of hidden values: going back, it lives beside the activations from which it is made.
   */
  static long formula(Mlp mlp, Optimizer optimizer) {
    long parameters = mlp.parameters() * Float.BYTES * (2 + optimizer.memory().size());
    // features as bytes, a label and a place in the order of examples for each
    long data = (long) mlp.examples() * (mlp.inputs() + 2 * Integer.BYTES);
    long row = mlp.rowOfActivations() + mlp.widestHidden();
    return parameters + data + mlp.batch() * row * Float.BYTES;
  }
}
