// SPDX-License-Identifier: Apache-2.0
// pictures: weft examples run loss-surface [--out FOLDER]
import dev.weft.*;
import dev.weft.data.ToySets;
import dev.weft.nn.*;
import dev.weft.optim.Adam;
import dev.weft.report.*;
import dev.weft.train.*;
import java.nio.file.Path;
import java.util.Arrays;

/** A network's loss around the minimum that it was trained to (lecture 4; Li et al. 2018). */
public class LossSurface {
  static Network network(Device device, long seed) {
    return Sequential.parse("linear(2,32) tanh linear(32,2)").seed(seed).on(device);
  }

  /** Random, but each unit's weights have the norm that they have in the network. */
  static double[] direction(Device device, Network network, long seed) {
    try (Network random = network(device, seed);
        Tape tape = Tape.inference(device)) {
      for (String name : random.named().keySet()) {
        Tensor w = network.named().get(name).tensor();
        Tensor d = random.named().get(name).tensor();
        if (name.endsWith("weight")) {
          Tensor scale = tape.divide(tape.norm(w, 0), tape.norm(d, 0));
          d.copyFrom(tape.multiply(d, scale).toDoubles());
        }
      }
      return random.arena().values().toDoubles();
    }
  }

  public static void main(String[] args) throws Exception {
    var moons = ToySets.moons(200, 0.2, 1);
    try (Device device = Device.cpu();
        Network network = network(device, 1);
        var evaluator = new Evaluator(network, new SoftmaxCrossEntropy(), moons, 200)) {
      Trainer.of(network).on(device).optimizer(Adam.rate(0.01)).batch(20).fit(moons, 200);
      double[] trained = network.arena().values().toDoubles();
      double[] u = direction(device, network, 2);
      double[] v = direction(device, network, 3);
      double[] side = Plot.evenly(-1.5, 1.5, 61);
      double[][] points = Plot.grid(side, side);
      double[] losses = new double[points.length];
      for (int i = 0; i < points.length; i++) {
        double[] there = trained.clone(), p = points[i];
        Arrays.setAll(there, k -> trained[k] + p[0] * u[k] + p[1] * v[k]);
        network.arena().values().copyFrom(there);
        losses[i] = evaluator.evaluate().loss();
      }
      double most = Arrays.stream(losses).max().getAsDouble();
      System.out.printf("%.3f in the middle, %.3f at most%n", losses[losses.length / 2], most);
      Plot plot = Plot.of("loss around a minimum", "along one direction", "along another");
      plot.contour("loss", side, side, losses, 0.11, 0.13, 0.16, 0.2, 0.3, 0.4, 0.6, 1, 1.5);
      plot.points("trained", new double[][] {{0, 0}});
      plot.write(Path.of(args.length > 0 ? args[0] : ".", "loss-surface.svg"));
    }
  }
}
