// SPDX-License-Identifier: Apache-2.0
// training: weft examples run random-search
import dev.weft.Device;
import dev.weft.Parameter.Initializer;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.Digits;
import dev.weft.data.Idx;
import dev.weft.data.Split;
import dev.weft.nn.Initializers;
import dev.weft.nn.Linear;
import dev.weft.nn.MultiClassHinge;
import dev.weft.nn.Sequential;
import dev.weft.optim.Sgd;
import dev.weft.train.Trainer;
import java.nio.file.Path;

/** The really bad idea: the best of 1,000 random matrices, beside descent (lecture 1). */
public class RandomSearch {
  public static void main(String[] args) throws Exception {
    String real = System.getenv("WEFT_DATA"); // where the folder mnist is
    Split all = real == null ? Digits.generate(10_000, 3) : Idx.read(Path.of(real, "mnist"));
    Split data = new Split(all.train().slice(0, 2_000), all.test());
    Initializer random = Initializers.normal(0, 255 * 1e-4); // 1e-4 for each of 255 greys
    double least = Double.POSITIVE_INFINITY;
    double[] best = new double[7840];
    try (Device device = Device.best();
        var batch = data.train().batches(device, 2_000, 0, 1).iterator().next();
        Tensor w = device.tensor(new float[784][10 * 50])) { // 50 matrices at once
      for (int attempt = 0; attempt < 1000; attempt += 50) {
        random.fill(w, 1, attempt);
        try (Tape tape = Tape.inference(device)) {
          Tensor scores = tape.matmul(batch.inputs().features(), w);
          for (int i = 0; i < 50; i++) {
            Tensor x = tape.slice(scores, 1, 10 * i, 10 * i + 10);
            Tensor loss = tape.multiClassHinge(x, batch.inputs().get("targets"), 1);
            if (loss.item() < least) {
              least = loss.item();
              double[] own = tape.slice(w, 1, 10 * i, 10 * i + 10).toDoubles();
              System.arraycopy(own, 0, best, 0, best.length);
              System.out.printf("attempt %d: loss %.3f%n", attempt + i, least);
            }
          }
        }
      }
      say("random search", (w1, seed, n) -> w1.copyFrom(best), Sgd.rate(0), 1, data, device);
      say("100 steps of descent", random, Sgd.rate(0.1), 100, data, device);
      System.out.println("chance: 0.1; on CIFAR-10 the lecture's random search had 0.1555");
    }
  }

  private static void say(String name, Initializer w, Sgd rule, int steps, Split data, Device on) {
    try (var network = Sequential.of(new Linear(784, 10, w, Linear.Bias.WITHOUT))) {
      var trainer = Trainer.of(network).on(on).loss(new MultiClassHinge()).optimizer(rule);
      var last = trainer.batch(2_000).fit(data.train(), data.test(), steps).last();
      double loss = last.train().loss();
      System.out.printf("%s: loss %.3f, %.3f of test images%n", name, loss, last.test().accuracy());
    }
  }
}
