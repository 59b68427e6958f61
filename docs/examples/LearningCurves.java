// SPDX-License-Identifier: Apache-2.0
// training: weft examples run learning-curves [--out FOLDER]
import dev.weft.Device;
import dev.weft.data.Dataset;
import dev.weft.data.Digits;
import dev.weft.data.Split;
import dev.weft.nn.Sequential;
import dev.weft.report.Plot;
import dev.weft.report.Plots;
import dev.weft.train.Trainer;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Test accuracy by the number of examples and by the width of a hidden layer: a network gains more
 * from data than a linear model does (lecture [1], "Why neural networks").
 */
public class LearningCurves {
  private static final Split DIGITS = Digits.generate(10_000, 1);
  private static final double[] ROWS = {100, 300, 1_000, 3_000, 10_000};
  private static final double[] UNITS = {1, 2, 4, 8, 16, 32, 64, 128};

  public static void main(String[] args) throws Exception {
    Plot byRows = Plot.of("Accuracy by data", "examples", "test accuracy").logX().yRange(0, 1);
    Plot byUnits = Plot.of("Accuracy by width", "units", "test accuracy").logX().yRange(0, 1);
    double[] linear = Arrays.stream(ROWS).map(n -> accuracy("linear(784,10)", n)).toArray();
    double[] hidden = Arrays.stream(ROWS).map(n -> accuracy(network(128), n)).toArray();
    double[] widths = Arrays.stream(UNITS).map(n -> accuracy(network(n), 10_000)).toArray();
    byRows.line("linear", ROWS, linear).line("128 hidden units", ROWS, hidden);
    byUnits.line("10,000 examples", UNITS, widths);
    Path folder = Path.of(args.length > 0 ? args[0] : "");
    Plots.of(2, byRows, byUnits).write(folder.resolve("learning-curves.svg"));
  }

  private static String network(double units) {
    return "linear(784,%1$.0f) relu linear(%1$.0f,10)".formatted(units);
  }

  /** Of a network after about 1,200 steps of 50 of the first examples. */
  private static double accuracy(String spec, double rows) {
    Dataset train = DIGITS.train().slice(0, (int) rows);
    try (Device device = Device.cpu()) {
      var trainer = Trainer.of(Sequential.parse(spec)).on(device).batch(50);
      trainer.fit(train, (int) (60_000 / rows) - 1);
      double accuracy = trainer.fit(train, DIGITS.test(), 1).last().test().accuracy();
      System.out.printf("%s, %.0f examples: %.3f%n", spec, rows, accuracy);
      return accuracy;
    }
  }
}
