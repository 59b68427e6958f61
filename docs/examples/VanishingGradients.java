// SPDX-License-Identifier: Apache-2.0
// training: weft examples run vanishing-gradients [--out FOLDER]
import dev.weft.Device;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.Batch;
import dev.weft.data.Digits;
import dev.weft.data.Split;
import dev.weft.nn.Initializers;
import dev.weft.nn.Sequential;
import dev.weft.report.Plot;
import dev.weft.train.Trainer;
import java.nio.file.Path;
import java.util.stream.IntStream;

/**
 * Gradients by layer in 20 layers before training, and whether these train: with sigmoid they
 * vanish, with ReLU and He's rule they keep their size, with large weights they explode (lectures
 * [2] and [4]).
 */
public class VanishingGradients {
  private static final Split DIGITS = Digits.generate(3_000, 1);

  public static void main(String[] args) throws Exception {
    Plot plot = Plot.of("Gradients before training", "layer", "norm of the gradient").logY();
    show(plot, "sigmoid", "xavier_normal");
    show(plot, "relu", "kaiming_normal");
    show(plot, "tanh", "normal(0,1)");
    plot.write(Path.of(args.length > 0 ? args[0] : "").resolve("vanishing-gradients.svg"));
  }

  private static void show(Plot plot, String activation, String rule) {
    String hidden = "linear(64,64) %s ".formatted(activation).repeat(18);
    String spec = "linear(784,64) %s %s linear(64,10)".formatted(activation, hidden);
    var network = Sequential.parse(spec, Initializers.named(rule));
    try (Device device = Device.cpu()) {
      double[] norms = norms(network.on(device), device);
      double[] layers = IntStream.rangeClosed(1, norms.length).asDoubleStream().toArray();
      plot.line(activation + " " + rule, layers, norms);
      System.out.printf(
          "%s %s: gradients from %.1e to %.1e, ", activation, rule, norms[0], norms[19]);
      var trainer = Trainer.of(network).on(device).batch(50);
      var last = trainer.fit(DIGITS.train(), DIGITS.test(), 10).last();
      System.out.printf("accuracy %.3f%n", last.test().accuracy());
    }
  }

  private static double[] norms(Sequential network, Device device) {
    Batch batch = DIGITS.train().batches(device, 500, 0, 1).iterator().next();
    try (batch;
        Tape tape = new Tape(device)) {
      Tensor scores = network.forward(tape, batch.inputs());
      tape.backward(tape.softmaxCrossEntropy(scores, batch.inputs().get("targets")));
      return network.matching("*.weight").stream()
          .mapToDouble(weight -> tape.norm(weight.tensor().grad()).item())
          .toArray();
    }
  }
}
