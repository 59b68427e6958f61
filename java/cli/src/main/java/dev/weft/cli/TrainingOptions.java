// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.data.BatchOrder;
import dev.weft.data.Dataset;
import dev.weft.data.LastBatch;
import dev.weft.data.Split;
import dev.weft.nn.LabelLoss;
import dev.weft.nn.Sequential;
import dev.weft.optim.Optimizer;
import dev.weft.train.Fusion;
import dev.weft.train.Trainer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What a training run is: its data, network, rule, device and length. */
final class TrainingOptions {
  @Mixin private StepOptions step;
  @Mixin private ScheduleOptions schedule;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      defaultValue = "5",
      description = "Passes over the training data. Default: ${DEFAULT-VALUE}.")
  private int epochs;

  @Mixin private StoppingOptions stopping;
  @Mixin private AveragingOptions averaging;

  @Option(
      names = "--last-batch",
      paramLabel = "WHAT",
      defaultValue = "keep",
      description = "keep or drop the examples that fill no batch. Default: ${DEFAULT-VALUE}.")
  private String lastBatch;

  @Option(
      names = "--data-memory",
      paramLabel = "MIB",
      description =
          "Device memory for the training data, and as much for the test data; what needs more is"
              + " streamed block by block. Default: on a GPU half of what is free.")
  private @Nullable Double dataMemory;

  @Option(
      names = "--fusion",
      paramLabel = "WHEN",
      defaultValue = "auto",
      description =
          "auto, never or always: whether a step of a network at most 128 wide runs as two fused"
              + " kernels. Default: ${DEFAULT-VALUE}, where that is faster: float32, up to 1024"
              + " rows on a GPU and 512 on a CPU with AVX2.")
  private String fusion;

  @Option(
      names = "--validation",
      paramLabel = "SHARE",
      defaultValue = "0",
      description =
          "This share of the training data is set aside and evaluated after every epoch, and the"
              + " test data once at the end. Default: the test data after every epoch.")
  private double validation;

  /**
   * Looks at all that can be wrong before there are data.
   *
   * @throws IllegalArgumentException where an option makes no sense, or has no effect
   */
  void check(boolean isProfiled) {
    step.check(isProfiled);
    Choice.of("last batch", lastBatch, LastBatch.class);
    Choice.of("fusion", fusion, Fusion.class);
    if (epochs < 1) {
      throw new IllegalArgumentException("at least 1 epoch, not " + epochs);
    }
    dataBytes();
    schedule.check(epochs, isProfiled);
    schedule.checkMomentum(step.optimizer(), epochs);
    stopping.check(epochs, isProfiled, schedule.plateau());
    averaging.check(epochs, isProfiled);
    if (!(validation >= 0 && validation < 1)) {
      throw new IllegalArgumentException("--validation must be in [0, 1), not " + validation);
    }
  }

  /** The network for these data. */
  Sequential network(Dataset train) {
    return step.network(train);
  }

  /** A trainer of that network as the options say, which {@link #check} has looked at. */
  Trainer trainer(Sequential network, Device device, LabelLoss loss) {
    Trainer trainer =
        step.trainer(network, device, loss)
            .lastBatch(Choice.of("last batch", lastBatch, LastBatch.class))
            .fusion(Choice.of("fusion", fusion, Fusion.class));
    schedule.apply(trainer);
    stopping.apply(trainer, schedule.plateau());
    averaging.apply(trainer);
    if (dataMemory != null) {
      trainer.dataMemory(dataBytes());
    }
    return trainer;
  }

  /**
   * The data to train on, and those to evaluate after every epoch.
   *
   * @throws IllegalArgumentException where they are too few for an option
   */
  Split parts(Split split) {
    Split parts = validation == 0 ? split : setAside(split.train());
    schedule.checkWarmUp(updates(parts.train()));
    return parts;
  }

  /** The updates of all epochs. */
  long updates(Dataset train) {
    LastBatch last = Choice.of("last batch", lastBatch, LastBatch.class);
    int batches = new BatchOrder(train.rows(), batch(), last, seed()).batches();
    return (long) epochs * Math.ceilDiv(batches, step.updates().count());
  }

  /** The data without those to validate with, and these. */
  private Split setAside(Dataset train) {
    long rows = train.rows() - Math.round((1 - validation) * train.rows());
    if (rows < 1 || rows >= train.rows()) {
      throw new IllegalArgumentException(
          format(
              "--validation %s of %d examples sets %s aside",
              validation, train.rows(), rows < 1 ? "none" : "all"));
    }
    return train.split(1 - validation, seed());
  }

  /** The most device memory of the training data. */
  long dataBytes() {
    if (dataMemory != null && !(dataMemory > 0)) {
      throw new IllegalArgumentException("--data-memory must be above 0, not " + dataMemory);
    }
    return dataMemory == null ? Long.MAX_VALUE : (long) (dataMemory * (1 << 20));
  }

  /** What the evaluation after every epoch is over, in a word. */
  String unseen() {
    return validation > 0 ? "validation" : "test";
  }

  DataOptions data() {
    return step.data();
  }

  LossOptions losses() {
    return step.losses();
  }

  StoppingOptions stopping() {
    return stopping;
  }

  ScheduleOptions schedule() {
    return schedule;
  }

  AveragingOptions averaging() {
    return averaging;
  }

  DeviceOptions where() {
    return step.where();
  }

  MathMode math() {
    return step.math();
  }

  Optimizer optimizer() {
    return step.optimizer();
  }

  int epochs() {
    return epochs;
  }

  int batch() {
    return step.batch();
  }

  long seed() {
    return step.seed();
  }
}
