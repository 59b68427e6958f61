// SPDX-License-Identifier: Apache-2.0
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
import java.nio.file.Files;
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
      if (epoch.test() != null && epoch.test().loss() < lowest) {
        lowest = epoch.test().loss();
        try {
          run.save(file);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
  }

  public static void main(String[] args) throws Exception {
    Path file = Files.createTempDirectory("weft").resolve("best.safetensors");
    var moons = ToySets.moons(400, 0.1, 1).split(0.8, 1);
    try (Device device = Device.cpu()) {
      var network = Sequential.of(new Linear(2, 32), Activation.RELU, new Linear(32, 2));
      History history =
          Trainer.of(network)
              .on(device)
              .optimizer(Adam.rate(0.02))
              .batch(32)
              .listener(new SaveBest(file))
              .onStep(500, run -> run.rate(run.rate() / 2))
              .onEpoch(
                  (run, epoch) -> {
                    if (epoch.watched().accuracy() > 0.97) {
                      run.stop("97 % are enough");
                    }
                  })
              .fit(moons.train(), moons.test(), 200);
      System.out.println(history.ended() + "; " + Files.exists(file));
    }
  }
}
