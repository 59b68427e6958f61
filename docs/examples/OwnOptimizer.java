// SPDX-License-Identifier: Apache-2.0
// your own parts: weft examples run own-optimizer
import dev.weft.Device;
import dev.weft.Operations;
import dev.weft.Tensor;
import dev.weft.data.ToySets;
import dev.weft.nn.Activation;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.optim.Clip;
import dev.weft.optim.Optimizer;
import dev.weft.optim.Schedule;
import dev.weft.optim.Update;
import dev.weft.train.Trainer;
import java.util.List;

/**
 * An optimizer of one's own, made of operations: schedules, clipping, accumulation and groups work
 * with it as with Weft's.
 */
public class OwnOptimizer {

  /** RMSProp (Hinton 2012): s = decay s + (1 - decay) g²; value -= rate g / (√s + 1e-8). */
  record RootMeanSquare(double rate, double decay) implements Optimizer {
    @Override
    public List<String> memory() {
      return List.of("square");
    }

    @Override
    public void update(Update u) {
      Operations o = u.operations();
      Tensor g = u.gradient();
      Tensor s = u.memory("square");
      o.assign(s, o.add(o.scale(s, decay), o.scale(o.square(g), 1 - decay)));
      Tensor step = o.divide(g, o.shift(o.sqrt(s), 1e-8));
      o.assign(u.values(), o.subtract(u.values(), o.multiply(step, u.rate())));
    }
  }

  public static void main(String[] args) {
    var moons = ToySets.moons(400, 0.1, 1);
    try (Device device = Device.cpu()) {
      double accuracy =
          Trainer.of(Sequential.of(new Linear(2, 32), Activation.RELU, new Linear(32, 2)))
              .on(device)
              .optimizer(new RootMeanSquare(0.01, 0.9))
              .schedule(Schedule.linear(100).warmUp(10))
              .clip(Clip.norm(1))
              .batch(32)
              .fit(moons, 100)
              .last()
              .train()
              .accuracy();
      System.out.println(accuracy > 0.98);
    }
  }
}
