// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.peer;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.device.Closing;
import dev.weft.nn.Activation;
import dev.weft.nn.Layer;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.optim.Optimizer;
import dev.weft.optim.Sgd;
import dev.weft.train.Fusion;
import dev.weft.train.Trainer;
import dev.weft.train.TrainingRun;
import java.util.ArrayList;
import java.util.List;

/**
 * Weft's side: a recorded step, replayed. It includes what a real run includes: batches in a new
 * order every epoch, bytes turned into floats, losses and hits added up.
 */
public final class WeftTraining implements TrainingStep {
  private final Device device;
  private final Sequential network;
  private final TrainingRun run;

  /** On a device that is closed with it. */
  public WeftTraining(Mlp mlp, MathMode mode, Device device) {
    this(mlp, mode, device, Fusion.AUTO);
  }

  /** With the step fused or not. */
  public WeftTraining(Mlp mlp, MathMode mode, Device device, Fusion fusion) {
    this(mlp, mode, device, Sgd.rate(RATE).momentum(MOMENTUM), fusion);
  }

  /** With another optimizer than all sides have. */
  public WeftTraining(Mlp mlp, MathMode mode, Device device, Optimizer optimizer) {
    this(mlp, mode, device, optimizer, Fusion.AUTO);
  }

  private WeftTraining(Mlp mlp, MathMode mode, Device device, Optimizer optimizer, Fusion fusion) {
    this.device = device;
    Sequential made = null;
    try {
      made = network(mlp).seed(SEED).on(device, mode);
      run =
          Trainer.of(made)
              .on(device)
              .math(mode)
              .loss(new SoftmaxCrossEntropy())
              .optimizer(optimizer)
              .batch(mlp.batch())
              .fusion(fusion)
              .seed(SEED)
              .start(mlp.data());
    } catch (RuntimeException | Error e) {
      Closing closing = new Closing();
      if (made != null) {
        closing.run(made::close);
      }
      closing.run(device::close);
      throw e;
    }
    network = made;
  }

  /** The network, on no device yet. */
  public static Sequential network(Mlp mlp) {
    List<Layer> layers = new ArrayList<>();
    for (int i = 1; i < mlp.widths().size(); i++) {
      layers.add(new Linear(mlp.widths().get(i - 1), mlp.widths().get(i)));
      if (i + 1 < mlp.widths().size()) {
        layers.add(Activation.RELU);
      }
    }
    return Sequential.of(layers.toArray(Layer[]::new));
  }

  @Override
  public void step() {
    run.step();
  }

  @Override
  public void finish() {
    device.synchronize();
  }

  @Override
  public double stepAndLoss() {
    run.step();
    return run.loss();
  }

  /** The most bytes that were live on the device so far. */
  public long peakBytes() {
    return device.memory().peak();
  }

  /** Gives back all but the device, and returns what is live then: 0. */
  public long liveBytesAfterTraining() {
    run.close();
    network.close();
    return device.memory().live();
  }

  @Override
  public void close() {
    run.close();
    network.close();
    device.close();
  }
}
