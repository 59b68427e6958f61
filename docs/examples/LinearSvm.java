// SPDX-License-Identifier: Apache-2.0
// models: weft examples run linear-svm [--out FOLDER]
import dev.weft.Device;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.data.ToySets;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.nn.ValueLoss;
import dev.weft.optim.Schedule;
import dev.weft.optim.Sgd;
import dev.weft.report.Plot;
import dev.weft.train.Trainer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/** A linear SVM, hinge loss and L2 penalty by Sgd: margin and support vectors (lecture 1). */
public class LinearSvm {
  public static void main(String[] args) throws Exception {
    Column x = ToySets.blobs(100, 2, 1.3, 3).features();
    double[][] t = new double[100][1];
    Arrays.setAll(t, i -> new double[] {i % 2 == 0 ? 1 : -1});
    var data = Dataset.of(x, Column.of(t));
    try (Device device = Device.cpu();
        var network = Sequential.of(new Linear(2, 1)).on(device)) {
      Trainer.of(network)
          .on(device)
          .loss(ValueLoss.hinge())
          .optimizer(Sgd.rate(1).l2(0.01))
          .group("*.bias", Sgd.rate(1)) // no penalty
          .schedule(Schedule.linear(2000))
          .fit(data, 2000);
      double[] w = network.named().get("0.weight").tensor().toDoubles();
      double b = network.named().get("0.bias").tensor().item();
      double margin = 1 / Math.hypot(w[0], w[1]); // to either side
      System.out.printf("w (%.4f, %.4f), b %.4f, margin %.3f%n", w[0], w[1], b, margin);
      double[] scores = Arrays.stream(network.scores(data)).mapToDouble(row -> row[0]).toArray();
      double[] up = {-4, 4};
      Plot plot = Plot.of("a linear SVM", "x1", "x2").xRange(-6, 6).yRange(-4, 4);
      points(plot, "one class", x, i -> t[i][0] > 0);
      points(plot, "the other", x, i -> t[i][0] < 0);
      points(plot, "support vectors", x, i -> t[i][0] * scores[i] < 1.002);
      for (int side : new int[] {0, -1, 1}) {
        double[] across = Arrays.stream(up).map(v -> (side - b - w[1] * v) / w[0]).toArray();
        plot.line(side == 0 ? "boundary" : "margin", across, up);
      }
      plot.write(Path.of(args.length > 0 ? args[0] : "").resolve("linear-svm.svg"));
    }
  }

  private static void points(Plot plot, String name, Column x, IntPredicate which) {
    int[] rows = IntStream.range(0, x.rows()).filter(which).toArray();
    double[] across = Arrays.stream(rows).mapToDouble(i -> x.get(i, 0)).toArray();
    double[] up = Arrays.stream(rows).mapToDouble(i -> x.get(i, 1)).toArray();
    plot.points(name, across, up);
    System.out.printf("%s: %d%n", name, rows.length);
  }
}
