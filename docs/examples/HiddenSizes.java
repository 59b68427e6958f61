// SPDX-License-Identifier: Apache-2.0
// training: weft examples run hidden-sizes [--out FOLDER]
import dev.weft.Device;
import dev.weft.data.Dataset;
import dev.weft.data.ToySets;
import dev.weft.nn.Sequential;
import dev.weft.optim.Adam;
import dev.weft.report.Plot;
import dev.weft.report.Plots;
import dev.weft.train.Trainer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The effect of a hidden layer's size: what 3, 6 and 20 units make of two spirals (lecture [1],
 * "Effect of a hidden layer size").
 */
public class HiddenSizes {
  private static final Dataset TRAIN = ToySets.spirals(300, 2, 0.05, 1);
  private static final Dataset TEST = ToySets.spirals(300, 2, 0.05, 2);
  private static final double[] GRID =
      IntStream.rangeClosed(-60, 60).mapToDouble(i -> i / 50.0).toArray();

  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args.length > 0 ? args[0] : "");
    Plots.of(3, plot(3), plot(6), plot(20)).write(folder.resolve("hidden-sizes.svg"));
  }

  private static Plot plot(int units) {
    Plot plot = Plot.of(units + " hidden units", "x", "y");
    for (int label = 0; label < 2; label++) {
      plot.points("class " + label, coordinates(label, 0), coordinates(label, 1));
    }
    String spec = "linear(2,%d) relu linear(%d,2)".formatted(units, units);
    var network = Sequential.parse(spec);
    try (Device device = Device.cpu()) {
      var trainer = Trainer.of(network).on(device).optimizer(Adam.rate(0.02)).batch(50);
      var last = trainer.fit(TRAIN, TEST, 1_000).last();
      double train = last.train().accuracy();
      double test = last.test().accuracy();
      System.out.printf("%d units: training %.3f, test %.3f%n", units, train, test);
      double[][] margins = new double[GRID.length][]; // score of class 1 minus that of class 0
      for (int i = 0; i < GRID.length; i++) {
        double y = GRID[i];
        var row = Arrays.stream(GRID).mapToObj(x -> new double[] {x, y}).toArray(double[][]::new);
        double[][] scores = network.scores(row);
        margins[i] = Arrays.stream(scores).mapToDouble(each -> each[1] - each[0]).toArray();
      }
      return plot.contour("boundary", GRID, GRID, margins, 0);
    }
  }

  /** Of the examples of a class, which take turns. */
  private static double[] coordinates(int label, int axis) {
    return IntStream.range(0, TRAIN.rows() / 2)
        .mapToDouble(i -> TRAIN.features().get(2 * i + label, axis))
        .toArray();
  }
}
