// SPDX-License-Identifier: Apache-2.0
// training: weft examples run activation-variance [--out FOLDER]
import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.MathMode;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.nn.Initializers;
import dev.weft.nn.Sequential;
import dev.weft.report.Plot;
import dev.weft.report.Plots;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The variance of activations by depth: Xavier's rules lose little with tanh and halve it by each
 * layer of ReLU, where He's rule keeps it; fixed deviations let it vanish or explode (lecture [2]).
 */
public class ActivationVariance {
  private static final int DEPTH = 20;
  private static final List<String> RULES =
      List.of("normal(0,0.01)", "normal(0,1)", "lecun_normal", "xavier_normal", "kaiming_normal");

  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args.length > 0 ? args[0] : "");
    Plots.of(2, plot("tanh"), plot("relu")).write(folder.resolve("activation-variance.svg"));
  }

  private static Plot plot(String activation) {
    double[] layers = IntStream.rangeClosed(1, DEPTH).asDoubleStream().toArray();
    Plot plot = Plot.of(activation, "layer", "variance of activations").logY().yRange(1e-8, 1e4);
    for (String rule : RULES) {
      double[] variances = variances(activation, rule);
      double factor = Math.pow(variances[DEPTH - 1] / variances[1], 1.0 / (DEPTH - 2));
      System.out.printf("%s %s: times %.3f by each layer%n", activation, rule, factor);
      plot.line(rule, layers, variances);
    }
    return plot;
  }

  private static double[] variances(String activation, String rule) {
    String layers = "linear(512,256) %s linear(256,512) %s ".formatted(activation, activation);
    var network = Sequential.parse(layers.repeat(DEPTH / 2), Initializers.named(rule));
    try (Device device = Device.cpu();
        Tape tape = Tape.inference(device)) {
      network.on(device, MathMode.DOUBLE); // float32 has no numbers as large as some of these
      Tensor x = tape.make(DType.F64, Shape.of(64, 512));
      Initializers.normal(0, 1).fill(x, 1, 0);
      double[] variances = new double[DEPTH];
      for (int i = 0; i < 2 * DEPTH; i++) { // of a linear layer and an activation in turn
        x = network.models().get(i).forward(tape, Inputs.of(x));
        variances[i / 2] = tape.variance(x).item();
      }
      return variances;
    }
  }
}
