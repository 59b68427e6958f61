// SPDX-License-Identifier: Apache-2.0
// your own parts: weft examples run own-listener FILE
import dev.weft.Device;
import dev.weft.data.ToySets;
import dev.weft.nn.Activation;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.optim.Adam;
import dev.weft.train.History;
import dev.weft.train.Listener;
import dev.weft.train.Trainer;
import dev.weft.train.TrainingRun;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/** Listeners of one's own: one that saves, one that changes the rate, one that ends the run. */
public class OwnListener {
  /** Writes the network whenever the test loss is the lowest so far. */
  static final class SaveBest implements Listener {
    private final Path file;
    private double lowest = Double.POSITIVE_INFINITY;

    SaveBest(Path file) {
      this.file = file;
    }

    @Override
    public void onEpoch(TrainingRun run, History.Epoch epoch) {
      if (epoch.watched().loss() < lowest) {
        lowest = epoch.watched().loss();
        try {
          run.save(file);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
  }

  public static void main(String[] args) throws Exception {
    var moons = ToySets.moons(400, 0.1, 1).split(0.8, 1);
    try (Device device = Device.cpu()) {
      var history =
          Trainer.of(Sequential.of(new Linear(2, 32), Activation.RELU, new Linear(32, 2)))
              .on(device)
              .optimizer(Adam.rate(0.02))
              .listener(new SaveBest(Path.of(args[0])))
              .onStep(500, run -> run.rate(run.rate() / 2))
              .onEpoch(
                  (run, epoch) -> {
                    if (epoch.watched().accuracy() > 0.97) {
                      run.stop("97 % are enough");
                    }
                  })
              .fit(moons.train(), moons.test(), 400);
      System.out.println(history.ended());
    }
  }
}
