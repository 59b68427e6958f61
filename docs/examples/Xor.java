// SPDX-License-Identifier: Apache-2.0
// models: weft examples run xor [--out FOLDER]
import dev.weft.Device;
import dev.weft.data.ToySets;
import dev.weft.nn.Activation;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.optim.Adam;
import dev.weft.report.Plot;
import dev.weft.report.Plots;
import dev.weft.train.EarlyStopping;
import dev.weft.train.Trainer;
import java.nio.file.Path;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** XOR: a line parts at most 3 of its 4 points, a hidden layer all of them (lectures 0 and 2). */
public class Xor {
  private static final double[] AXIS =
      IntStream.rangeClosed(-20, 60).mapToDouble(i -> i / 40.0).toArray();

  public static void main(String[] args) throws Exception {
    Plot line = train("a line", Sequential.of(new Linear(2, 2)));
    var hidden = Sequential.of(new Linear(2, 8), Activation.TANH, new Linear(8, 2));
    Plot curve = train("a hidden layer of 8", hidden);
    Path folder = Path.of(args.length > 0 ? args[0] : "");
    Plots.of(2, line, curve).write(folder.resolve("xor.svg"));
  }

  private static Plot train(String name, Sequential network) {
    var xor = ToySets.xor();
    try (Device device = Device.cpu();
        network) {
      var trainer = Trainer.of(network).on(device).optimizer(Adam.rate(0.05));
      trainer.earlyStopping(EarlyStopping.highest("accuracy").patience(300)); // the best comes back
      double right = 4 * trainer.fit(xor, xor, 500).bestEpoch().test().accuracy();
      System.out.printf("%s: %.0f of 4%n", name, right);
      return Plot.of("%s: %.0f of 4".formatted(name, right), "a", "b")
          .contour("boundary", AXIS, AXIS, margins(network), 0)
          .points("a XOR b", new double[] {0, 1}, new double[] {1, 0})
          .points("not", new double[] {0, 1}, new double[] {0, 1});
    }
  }

  /** By how much the second class's score is above the first's, in rows of b. */
  private static double[][] margins(Sequential network) {
    return DoubleStream.of(AXIS)
        .mapToObj(b -> DoubleStream.of(AXIS).mapToObj(a -> new double[] {a, b}))
        .map(row -> network.scores(row.toArray(double[][]::new)))
        .map(
            row -> IntStream.range(0, row.length).mapToDouble(j -> row[j][1] - row[j][0]).toArray())
        .toArray(double[][]::new);
  }
}
