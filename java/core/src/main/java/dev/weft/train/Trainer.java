// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.Parameter;
import dev.weft.data.Dataset;
import dev.weft.data.LastBatch;
import dev.weft.nn.Loss;
import dev.weft.nn.Model;
import dev.weft.nn.Network;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.optim.Adam;
import dev.weft.optim.Optimizer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Trains a network: keeps the data on the device, takes its batches in a new order every epoch,
 * records a step once and replays it. The settings are those of the last call of each method; a
 * second {@link #fit} goes on from the values of the first, with the optimizer's memory and step
 * count anew.
 */
public final class Trainer {
  private final Network network;
  private final Map<String, Optimizer> groups = new LinkedHashMap<>();
  private final Map<String, Double> clips = new LinkedHashMap<>();
  private final List<Listener> listeners = new ArrayList<>();
  private Device device;
  private MathMode math = MathMode.STRICT;
  private Loss loss = new SoftmaxCrossEntropy();
  private Optimizer optimizer = Adam.rate(1e-3);
  private int batch = 128;
  private LastBatch lastBatch = LastBatch.KEEP;
  private Fusion fusion = Fusion.AUTO;
  private long seed = 1;
  private DataMemory dataMemory = DataMemory.HALF_OF_FREE;

  private Trainer(Network network) {
    this.network = network;
  }

  /**
   * A trainer for a model, with Adam at 0.001, softmax cross-entropy, batches of 128, strict
   * float32 and seed 1 until told otherwise.
   */
  public static Trainer of(Model model) {
    return new Trainer(Network.over(model));
  }

  /** The model with its memory: what is saved, and asked. */
  public Network network() {
    return network;
  }

  /** Trains on this device. */
  public Trainer on(Device device) {
    this.device = device;
    return this;
  }

  /** Computes in this way. */
  public Trainer math(MathMode math) {
    this.math = math;
    return this;
  }

  /** The loss that training minimises. */
  public Trainer loss(Loss loss) {
    this.loss = loss;
    return this;
  }

  /** The rule by which parameters change that are in no {@link #group}. */
  public Trainer optimizer(Optimizer optimizer) {
    this.optimizer = optimizer;
    return this;
  }

  /**
   * Shortens the gradient of all parameters that are in no {@link #group}, taken together, where
   * its norm is larger, before each step: see {@link Updates#clip}.
   *
   * @throws IllegalArgumentException where the norm is not positive and finite
   */
  public Trainer clip(double maxNorm) {
    return clip("", maxNorm);
  }

  /**
   * The same for the parameters of a group, by its pattern.
   *
   * @throws IllegalArgumentException where there is no such group, or the norm is not positive and
   *     finite
   */
  public Trainer clip(String group, double maxNorm) {
    if (!group.isEmpty() && !groups.containsKey(group)) {
      throw new IllegalArgumentException(format("there is no group '%s' to clip", group));
    }
    if (!(maxNorm > 0) || Double.isInfinite(maxNorm)) {
      throw new IllegalArgumentException(
          format("a norm to clip at must be positive and finite, not %s", maxNorm));
    }
    clips.put(group, maxNorm);
    return this;
  }

  /**
   * Changes some parameters by a rule of their own, with its rate and decay: those whose name fits
   * {@code pattern}, in which * stands for anything, and no pattern that was given before. So
   * {@code group("*.bias", Adam.rate(1e-3))} keeps the decay of the others from biases.
   *
   * @throws IllegalArgumentException where no parameter has such a name; {@link #start} throws it
   *     where all that have are in earlier groups
   */
  public Trainer group(String pattern, Optimizer optimizer) {
    network.matching(pattern);
    groups.put(pattern, optimizer);
    return this;
  }

  /**
   * Rows of a batch; what they leave over is {@link #lastBatch}. Data of fewer rows are one batch.
   */
  public Trainer batch(int rows) {
    if (rows < 1) {
      throw new IllegalArgumentException("a batch needs at least 1 row, not " + rows);
    }
    this.batch = rows;
    return this;
  }

  /** Whether the rows that do not fill a batch are trained on. */
  public Trainer lastBatch(LastBatch lastBatch) {
    this.lastBatch = lastBatch;
    return this;
  }

  /**
   * Whether a step may run as two fused kernels, which suit networks whose layers are at most 128
   * wide; {@link Fusion#AUTO} until told otherwise. Fused steps leave {@code
   * ParameterArena.gradients} as they are.
   */
  public Trainer fusion(Fusion fusion) {
    this.fusion = fusion;
    return this;
  }

  /** The seed of initial values, of the order of examples and of dropout. */
  public Trainer seed(long seed) {
    this.seed = seed;
    return this;
  }

  /**
   * The most device memory that the training data may take, and as much again the test data. Data
   * that need more are streamed: two blocks of batches are on the device, the one that is computed
   * on and the next, whose copy runs beside the kernels. The results are the same bits.
   *
   * <p>Until told otherwise it is half of what is free when training starts, and on the processor,
   * whose memory the data are in already, all that they need.
   *
   * @param bytes at least two batches, which {@link #start} checks
   */
  public Trainer dataMemory(long bytes) {
    if (bytes < 1) {
      throw new IllegalArgumentException(
          format("data need at least 1 byte of device memory, not %d", bytes));
    }
    this.dataMemory = device -> bytes;
    return this;
  }

  /** Adds somebody who watches. */
  public Trainer listener(Listener listener) {
    listeners.add(listener);
    return this;
  }

  /**
   * Trains.
   *
   * @param train what to learn from
   * @param test unseen data to evaluate on after every epoch, or null
   * @throws IllegalArgumentException where network, loss and data do not fit, or dropping the last
   *     batch leaves none; nothing has been changed then
   * @throws DivergedException where the loss, or at the end of an epoch a parameter, is NaN or
   *     infinite
   */
  public History fit(Dataset train, Dataset test, Epochs epochs) {
    try (TrainingRun run = start(train, test)) {
      return run.epochs(epochs.count());
    }
  }

  /** A gradient of rows has no norm until its rows are added up, which the optimizer does. */
  private void checkClips() {
    Updates.Groups members = new Updates.Groups(network, optimizer, groups);
    network
        .named()
        .forEach(
            (name, parameter) -> {
              boolean rows = parameter.isTrained() && parameter.kind() == Parameter.Kind.ROWS;
              if (rows && clips.containsKey(members.names().get(members.of(parameter)))) {
                throw new IllegalArgumentException(
                    format(
                        "clipping does not reach %s, whose gradient is a list of rows: make it"
                            + " dense, or give it a group of its own",
                        name));
              }
            });
  }

  /**
   * Puts the network and the data on the device and records the step, but trains nothing yet.
   *
   * @throws IllegalArgumentException where network, loss and data do not fit, or the network has no
   *     parameters
   */
  public TrainingRun start(Dataset train, Dataset test) {
    if (device == null) {
      throw new IllegalStateException("say where to train: on(Device.best())");
    }
    device.check();
    if (network.named().values().stream().noneMatch(Parameter::isTrained)) {
      throw new IllegalArgumentException(
          network.named().isEmpty()
              ? "the network has nothing to train: it has no layer with parameters"
              : "the network has nothing to train: all its parameters are frozen");
    }
    WantedColumns columns = WantedColumns.of(network, loss, train, "training data");
    if (test != null) {
      WantedColumns.of(network, loss, test, "test data");
    }
    checkClips();
    return new TrainingRun(
        new TrainingRun.Settings(
            network,
            device,
            math,
            loss,
            columns,
            optimizer,
            new LinkedHashMap<>(groups),
            Map.copyOf(clips),
            batch,
            lastBatch,
            fusion,
            seed,
            dataMemory,
            listeners),
        train,
        test);
  }
}
