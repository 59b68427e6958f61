// SPDX-License-Identifier: Apache-2.0
// pictures: weft examples run between-minima [--out FOLDER]
import dev.weft.Device;
import dev.weft.data.ToySets;
import dev.weft.nn.Network;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.optim.Adam;
import dev.weft.report.Plot;
import dev.weft.train.Evaluator;
import dev.weft.train.Trainer;
import java.nio.file.Path;
import java.util.Arrays;

/** The loss on the straight way between two minima, which is over a hill (lecture 4). */
public class BetweenMinima {
  public static void main(String[] args) throws Exception {
    var moons = ToySets.moons(200, 0.2, 1);
    double[][] minima = new double[2][];
    double[] shares = Plot.evenly(-0.5, 1.5, 81);
    double[] losses = new double[shares.length];
    try (Device device = Device.cpu()) {
      for (int seed = 0; seed < 2; seed++) {
        try (Network network = LossSurface.network(device, 1 + seed)) {
          Trainer.of(network).on(device).optimizer(Adam.rate(0.01)).batch(20).fit(moons, 200);
          minima[seed] = network.arena().values().toDoubles();
        }
      }
      try (Network between = LossSurface.network(device, 1);
          var evaluator = new Evaluator(between, new SoftmaxCrossEntropy(), moons, 200)) {
        for (int i = 0; i < shares.length; i++) {
          double[] there = minima[0].clone();
          double share = shares[i];
          Arrays.setAll(there, k -> (1 - share) * minima[0][k] + share * minima[1][k]);
          between.arena().values().copyFrom(there);
          losses[i] = evaluator.evaluate().loss();
        }
      }
    }
    double most = Arrays.stream(losses, 20, 61).max().getAsDouble();
    System.out.printf("%.3f and %.3f, between them %.3f%n", losses[20], losses[60], most);
    Plot plot = Plot.of("loss between two minima", "share of the way", "loss");
    plot.line("on the straight way", shares, losses);
    plot.points("trained", new double[] {0, 1}, new double[] {losses[20], losses[60]});
    plot.write(Path.of(args.length > 0 ? args[0] : ".", "between-minima.svg"));
  }
}
