// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.nn.Activation;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.optim.Sgd;
import dev.weft.train.Trainer;
import dev.weft.train.TrainingRun;

/**
 * Weft's side: a recorded step, replayed. It includes what a real run includes: batches in a new
 * order every epoch, bytes turned into floats, losses and hits added up.
 */
final class WeftTraining implements TrainingStep {
  private final Sequential network;
  private final TrainingRun run;

  WeftTraining(MlpShape shape, Device device) {
    this(shape, shape.batch(), device);
  }

  /** With another batch than the shape's. */
  WeftTraining(MlpShape shape, int batch, Device device) {
    network = network(shape).on(device, MathMode.STRICT, SEED);
    run =
        Trainer.of(network)
            .on(device)
            .loss(new SoftmaxCrossEntropy())
            .optimizer(Sgd.rate(RATE).momentum(MOMENTUM))
            .batch(batch)
            .seed(SEED)
            .start(MlpShape.digits(), null);
  }

  /** The network, on no device yet. */
  static Sequential network(MlpShape shape) {
    return Sequential.of(
        new Linear(MlpShape.INPUTS, shape.hidden()),
        Activation.RELU,
        new Linear(shape.hidden(), shape.hidden()),
        Activation.RELU,
        new Linear(shape.hidden(), MlpShape.CLASSES));
  }

  @Override
  public void step() {
    run.step();
  }

  @Override
  public double stepAndLoss() {
    run.step();
    return run.loss();
  }

  @Override
  public void close() {
    run.close();
    network.close();
  }
}
