// SPDX-License-Identifier: Apache-2.0
// training: weft examples run templates [--out FOLDER] [MNIST]
import dev.weft.Device;
import dev.weft.data.Digits;
import dev.weft.data.Idx;
import dev.weft.data.Split;
import dev.weft.nn.Initializers;
import dev.weft.nn.Sequential;
import dev.weft.optim.Adam;
import dev.weft.report.Plot;
import dev.weft.report.Plots;
import dev.weft.train.Trainer;
import java.nio.file.Path;

/**
 * The weights of a linear classifier as pictures: it has one template for each class (lecture [1],
 * "Why single layer is not enough"). Digits are those of a folder of MNIST's files, else drawn.
 */
public class Templates {
  public static void main(String[] args) throws Exception {
    Split digits = args.length > 1 ? Idx.read(Path.of(args[1])) : Digits.generate(10_000, 1);
    var network = Sequential.parse("linear(784,10)", Initializers.zeros());
    try (Device device = Device.cpu()) {
      var optimizer = Adam.rate(1e-3).weightDecay(0.1);
      var trainer = Trainer.of(network).on(device).optimizer(optimizer);
      double accuracy = trainer.fit(digits.train(), digits.test(), 5).last().test().accuracy();
      System.out.printf("test accuracy %.3f%n", accuracy);
      double[] w = network.named().get("0.weight").tensor().toDoubles(); // (784, 10)
      Plot[] plots = new Plot[10];
      for (int digit = 0; digit < 10; digit++) {
        double[][] image = new double[28][28];
        for (int i = 0; i < 784; i++) {
          image[i / 28][i % 28] = w[i * 10 + digit];
        }
        plots[digit] = Plot.of(String.valueOf(digit), "", "").image(image);
      }
      Path folder = Path.of(args.length > 0 ? args[0] : "");
      Plots.of(5, plots).write(folder.resolve("templates.svg"));
    }
  }
}
