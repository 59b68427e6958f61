// SPDX-License-Identifier: Apache-2.0
// models: weft examples run twenty-lines
import dev.weft.Device;
import dev.weft.Parameter.Initializer;
import dev.weft.data.Dataset;
import dev.weft.nn.Activation;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.nn.SumOfSquares;
import dev.weft.optim.Sgd;
import dev.weft.train.History;
import dev.weft.train.Trainer;
import java.util.Random;
import java.util.stream.DoubleStream;

/** The two-layer network that lecture 1 trains in 20 lines of numpy, on each device there is. */
public class TwentyLines {
  public static void main(String[] args) {
    try (Device cpu = Device.cpu();
        Device best = Device.best()) {
      train(cpu);
      if (best.kind() != cpu.kind()) {
        train(best);
      }
    }
  }

  private static void train(Device device) {
    Random random = new Random(1); // x, y, w1 and w2 in the lecture's order
    var data = Dataset.of(randn(random, 64, 1000), randn(random, 64, 10));
    Initializer weights = (w, seed, draw) -> w.copyFrom(randn(random, 1, (int) w.elements())[0]);
    var hidden = new Linear(1000, 100, weights, Linear.Bias.WITHOUT);
    var output = new Linear(100, 10, weights, Linear.Bias.WITHOUT);
    try (var network = Sequential.of(hidden, Activation.SIGMOID, output)) {
      History history =
          Trainer.of(network)
              .on(device)
              .loss(new SumOfSquares().sum())
              .optimizer(Sgd.rate(1e-4))
              .batch(64)
              .fit(data, 2000);
      for (int t : new int[] {0, 10, 100, 1000, 1999}) {
        double loss = 64 * history.epochs().get(t).train().loss(); // a history has means of rows
        System.out.printf("%s, step %d: loss %.6g%n", device.name(), t, loss);
      }
    }
  }

  private static double[][] randn(Random random, int rows, int columns) {
    double[][] values = new double[rows][];
    for (int i = 0; i < rows; i++) {
      values[i] = DoubleStream.generate(random::nextGaussian).limit(columns).toArray();
    }
    return values;
  }
}
