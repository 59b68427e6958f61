// SPDX-License-Identifier: Apache-2.0
// training: weft examples run universal-approximation [--out FOLDER]
import dev.weft.Device;
import dev.weft.data.Dataset;
import dev.weft.nn.MeanSquaredError;
import dev.weft.nn.Sequential;
import dev.weft.optim.Adam;
import dev.weft.optim.Schedule;
import dev.weft.report.Plot;
import dev.weft.train.Trainer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * One hidden layer that is wide enough fits a function of one number: 2, 8 and 64 units on sin(3x)
 * + x/2 (lectures [0] and [2], "universal approximation").
 */
public class UniversalApproximation {
  public static void main(String[] args) throws Exception {
    double[] x = IntStream.rangeClosed(0, 240).mapToDouble(i -> i / 40.0 - 3).toArray();
    double[] y = Arrays.stream(x).map(at -> Math.sin(3 * at) + at / 2).toArray();
    double[][] rows = Arrays.stream(x).mapToObj(at -> new double[] {at}).toArray(double[][]::new);
    Plot plot = Plot.of("sin(3x) + x/2 by one hidden layer", "x", "y").line("function", x, y);
    for (int units : new int[] {2, 8, 64}) {
      var network = Sequential.parse("linear(1,%d) tanh linear(%d,1)".formatted(units, units));
      try (Device device = Device.cpu()) {
        double error =
            Trainer.of(network)
                .on(device)
                .loss(new MeanSquaredError())
                .optimizer(Adam.rate(0.01))
                .schedule(Schedule.cosine(6_000))
                .batch(x.length)
                .fit(Dataset.of(rows, y), 6_000)
                .last()
                .train()
                .loss();
        System.out.printf("%d units: mean squared error %.5f%n", units, error);
        double[][] fitted = network.scores(rows);
        plot.line(units + " units", x, Arrays.stream(fitted).mapToDouble(row -> row[0]).toArray());
      }
    }
    plot.write(Path.of(args.length > 0 ? args[0] : "").resolve("universal-approximation.svg"));
  }
}
