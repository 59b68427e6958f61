// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.data.Dataset;
import dev.weft.nn.LabelLoss;
import dev.weft.nn.Sequential;
import dev.weft.optim.KernelRule;
import dev.weft.train.Trainer;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What a training step is: of which data, network, loss, rule and batch, and where. */
final class StepOptions {
  @Mixin private DataOptions data;
  @Mixin private NetworkOptions layers;
  @Mixin private OptimizerOptions rule;
  @Mixin private UpdateOptions updates;
  @Mixin private LossOptions losses;
  @Mixin private DeviceOptions where;

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "128",
      description = "Examples in a step; all, where there are fewer. Default: ${DEFAULT-VALUE}.")
  private int batch;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Of first weights, order of examples and dropout. Default: ${DEFAULT-VALUE}.")
  private long seed;

  /**
   * Looks at all that can be wrong before there are data.
   *
   * @throws IllegalArgumentException where an option makes no sense, or has no effect
   */
  void check(boolean isProfiled) {
    data.check();
    layers.check();
    optimizer();
    losses.check();
    if (batch < 1) {
      throw new IllegalArgumentException("a batch needs at least 1 row, not " + batch);
    }
    updates.check(isProfiled);
    if (losses.isWeighted() && updates.isAccumulated()) {
      throw new IllegalArgumentException(
          "--class-weights divides the loss of a batch by the weights of its examples, so that"
              + " --accumulate cannot add up batches: leave one out");
    }
    math();
  }

  /** The network for these data. */
  Sequential network(Dataset train) {
    return layers.network(train.features().width(), train.classes());
  }

  /** A trainer of that network as the options say, which {@link #check} has looked at. */
  Trainer trainer(Sequential network, Device device, LabelLoss loss) {
    Trainer trainer =
        Trainer.of(network)
            .on(device)
            .math(math())
            .loss(loss)
            .optimizer(optimizer())
            .batch(batch)
            .seed(seed);
    updates.apply(trainer);
    return trainer;
  }

  DataOptions data() {
    return data;
  }

  LossOptions losses() {
    return losses;
  }

  UpdateOptions updates() {
    return updates;
  }

  DeviceOptions where() {
    return where;
  }

  MathMode math() {
    return where.math();
  }

  KernelRule<?> optimizer() {
    return rule.optimizer();
  }

  int batch() {
    return batch;
  }

  long seed() {
    return seed;
  }
}
