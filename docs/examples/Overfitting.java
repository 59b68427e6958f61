// SPDX-License-Identifier: Apache-2.0
// training: weft examples run overfitting [--out FOLDER]
import dev.weft.Device;
import dev.weft.data.Split;
import dev.weft.data.ToySets;
import dev.weft.nn.Sequential;
import dev.weft.optim.Adam;
import dev.weft.report.Plot;
import dev.weft.train.EarlyStopping;
import dev.weft.train.History;
import dev.weft.train.Trainer;
import java.nio.file.Path;
import java.util.List;

/**
 * A network learns the noise of its examples: the loss on these falls on, that on others rises, and
 * early stopping takes the best epoch (lectures [2] and [3], "Overfitting").
 */
public class Overfitting {
  private static final Split MOONS = ToySets.moons(400, 0.3, 1).split(0.25, 1);

  public static void main(String[] args) throws Exception {
    List<History.Epoch> epochs = history(600, 600).epochs();
    History stopped = history(600, 30);
    History.Epoch best = stopped.bestEpoch();
    System.out.println("all epochs: " + epochs.getLast());
    System.out.println(stopped.ended());
    System.out.println("best: " + best);
    double[] numbers = epochs.stream().mapToDouble(History.Epoch::number).toArray();
    double[] train = epochs.stream().mapToDouble(epoch -> epoch.train().loss()).toArray();
    double[] test = epochs.stream().mapToDouble(epoch -> epoch.test().loss()).toArray();
    Plot.of("A network that learns noise", "epoch", "loss")
        .line("training", numbers, train)
        .line("validation", numbers, test)
        .line("early stopping", new double[] {best.number(), best.number()}, new double[] {0, 1})
        .write(Path.of(args.length > 0 ? args[0] : "").resolve("overfitting.svg"));
  }

  private static History history(int epochs, int patience) {
    var network = Sequential.parse("linear(2,128) relu linear(128,128) relu linear(128,2)");
    try (Device device = Device.cpu()) {
      return Trainer.of(network)
          .on(device)
          .optimizer(Adam.rate(0.003))
          .batch(25)
          .earlyStopping(EarlyStopping.lowest("loss").patience(patience))
          .fit(MOONS.train(), MOONS.test(), epochs);
    }
  }
}
