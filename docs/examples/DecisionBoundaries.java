// SPDX-License-Identifier: Apache-2.0
// models: weft examples run decision-boundaries [--out FOLDER]
import dev.weft.Device;
import dev.weft.data.Dataset;
import dev.weft.data.ToySets;
import dev.weft.nn.Sequential;
import dev.weft.optim.Adam;
import dev.weft.report.Plot;
import dev.weft.report.Plots;
import dev.weft.train.Trainer;
import java.nio.file.Path;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** Blobs, circles, moons and spirals, parted by a line and by hidden layers (lectures 1 to 3). */
public class DecisionBoundaries {
  private static final String LAYERS = "linear(2,32) tanh linear(32,32) tanh linear(32,2)";

  public static void main(String[] args) throws Exception {
    String[] names = {"blobs", "circles", "moons", "spirals"};
    Dataset[] sets = {
      ToySets.blobs(200, 2, 0.8, 1), ToySets.circles(200, 0.08, 1),
      ToySets.moons(200, 0.12, 1), ToySets.spirals(200, 2, 0.02, 1)
    };
    Plot[] plots = new Plot[8];
    for (int i = 0; i < 4; i++) {
      plots[i] = train(names[i] + ", a line", sets[i], "linear(2,2)");
      plots[i + 4] = train(names[i] + ", hidden layers", sets[i], LAYERS);
    }
    Path folder = Path.of(args.length > 0 ? args[0] : "");
    Plots.of(4, plots).write(folder.resolve("decision-boundaries.svg"));
  }

  private static Plot train(String name, Dataset data, String layers) {
    try (Device device = Device.cpu();
        var network = Sequential.parse(layers)) {
      var trainer = Trainer.of(network).on(device).optimizer(Adam.rate(0.01)).batch(50);
      double right = 100 * trainer.fit(data, data, 150).last().test().accuracy();
      System.out.printf("%s: %.1f %%%n", name, right);
      double side = data.features().get(0, 0) > 2 ? 5 : 2.5; // blobs are wide
      double[] axis = IntStream.rangeClosed(-40, 40).mapToDouble(i -> i * side / 40).toArray();
      double[][] margins =
          DoubleStream.of(axis)
              .mapToObj(y -> DoubleStream.of(axis).mapToObj(x -> new double[] {x, y}))
              .map(row -> network.scores(row.toArray(double[][]::new)))
              .map(s -> IntStream.range(0, 81).mapToDouble(j -> s[j][1] - s[j][0]).toArray())
              .toArray(double[][]::new);
      return Plot.of("%s: %.1f %%".formatted(name, right), "", "")
          .contour("boundary", axis, axis, margins, 0)
          .points("class 1", values(data, 0, 0), values(data, 0, 1))
          .points("class 2", values(data, 1, 0), values(data, 1, 1));
    }
  }

  private static double[] values(Dataset data, int label, int axis) {
    IntStream rows = IntStream.iterate(label, i -> i < data.rows(), i -> i + 2);
    return rows.mapToDouble(i -> data.features().get(i, axis)).toArray();
  }
}
