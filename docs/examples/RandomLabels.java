// SPDX-License-Identifier: Apache-2.0
// training: weft examples run random-labels [--out FOLDER]
import dev.weft.Device;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.data.Digits;
import dev.weft.data.Split;
import dev.weft.nn.Sequential;
import dev.weft.report.Plot;
import dev.weft.train.History;
import dev.weft.train.Trainer;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.function.ToDoubleFunction;

/**
 * A network memorises labels that were drawn at random, of which it can know nothing on digits that
 * it has not seen (Zhang et al. 2017; lecture [2]).
 */
public class RandomLabels {
  public static void main(String[] args) throws Exception {
    Split digits = Digits.generate(1_200, 1);
    Split random = new Split(relabelled(digits.train()), relabelled(digits.test()));
    Plot plot = Plot.of("Labels that mean nothing", "epoch", "accuracy").yRange(0, 1);
    show(plot, "true labels", digits);
    show(plot, "random labels", random);
    plot.write(Path.of(args.length > 0 ? args[0] : "").resolve("random-labels.svg"));
  }

  private static Dataset relabelled(Dataset data) {
    int[] labels = new Random(data.rows()).ints(data.rows(), 0, 10).toArray();
    return Dataset.of(data.features(), Column.ids(labels, 10));
  }

  private static void show(Plot plot, String name, Split data) {
    try (Device device = Device.cpu()) {
      var network = Sequential.parse("linear(784,512) relu linear(512,10)");
      var trainer = Trainer.of(network).on(device).batch(50);
      List<History.Epoch> epochs = trainer.fit(data.train(), data.test(), 24).epochs();
      double[] numbers = of(epochs, History.Epoch::number);
      plot.line(name + ", train", numbers, of(epochs, epoch -> epoch.train().accuracy()));
      plot.line(name + ", test", numbers, of(epochs, epoch -> epoch.test().accuracy()));
      History.Epoch last = epochs.getLast();
      System.out.printf("%s: training accuracy %.3f, ", name, last.train().accuracy());
      System.out.printf("test accuracy %.3f%n", last.test().accuracy());
    }
  }

  private static double[] of(List<History.Epoch> epochs, ToDoubleFunction<History.Epoch> value) {
    return epochs.stream().mapToDouble(value).toArray();
  }
}
