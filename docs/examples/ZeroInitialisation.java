// SPDX-License-Identifier: Apache-2.0
// training: weft examples run zero-initialisation [--out FOLDER]
import dev.weft.Device;
import dev.weft.data.Digits;
import dev.weft.data.Split;
import dev.weft.nn.Initializers;
import dev.weft.nn.Sequential;
import dev.weft.report.Plot;
import dev.weft.report.Plots;
import dev.weft.train.Trainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Units that begin with equal weights stay equal: 16 of them learn no more than one, and those that
 * begin by Xavier's rule learn to be different (lectures [2] and [4]).
 */
public class ZeroInitialisation {
  private static final Split DIGITS = Digits.generate(6_000, 1);

  public static void main(String[] args) throws Exception {
    List<Plot> plots = new ArrayList<>();
    show(plots, 16, "zeros");
    show(plots, 1, "xavier_normal");
    show(plots, 16, "xavier_normal");
    Path folder = Path.of(args.length > 0 ? args[0] : "");
    Plots.of(5, plots.toArray(Plot[]::new)).write(folder.resolve("zero-initialisation.svg"));
  }

  private static void show(List<Plot> plots, int units, String rule) {
    String spec = "linear(784,%d) sigmoid linear(%d,10)".formatted(units, units);
    var network = Sequential.parse(spec, Initializers.named(rule));
    try (Device device = Device.cpu()) {
      var trainer = Trainer.of(network).on(device).batch(50);
      double accuracy = trainer.fit(DIGITS.train(), DIGITS.test(), 5).last().test().accuracy();
      double[] w = network.named().get("0.weight").tensor().toDoubles(); // (784, units)
      double apart = 0;
      for (int i = 0; i < w.length; i++) {
        apart = Math.max(apart, Math.abs(w[i] - w[i - i % units]));
      }
      System.out.printf("%d units, %s: accuracy %.3f, ", units, rule, accuracy);
      System.out.printf("weights differ by up to %.3f%n", apart);
      for (int unit = 0; unit < 5 && units > 1; unit++) {
        double[][] image = new double[28][28];
        for (int i = 0; i < 784; i++) {
          image[i / 28][i % 28] = w[i * units + unit];
        }
        plots.add(Plot.of(rule.split("_")[0] + " " + (unit + 1), "", "").image(image));
      }
    }
  }
}
