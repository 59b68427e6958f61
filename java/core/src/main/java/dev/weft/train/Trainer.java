// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.Parameter;
import dev.weft.Tensor;
import dev.weft.data.Dataset;
import dev.weft.data.LastBatch;
import dev.weft.nn.Loss;
import dev.weft.nn.Model;
import dev.weft.nn.MultiClassHinge;
import dev.weft.nn.Network;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.optim.Adam;
import dev.weft.optim.Clip;
import dev.weft.optim.Groups;
import dev.weft.optim.MaxNorm;
import dev.weft.optim.Optimizer;
import dev.weft.optim.OptimizerFile;
import dev.weft.optim.Schedule;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Trains a network: keeps the data on the device, takes its batches in a new order every epoch,
 * records a step once and replays it. The settings are those of the last call of each method before
 * a run begins.
 *
 * <p>Fitting again goes on where the run before ended, within an epoch if it was stopped there:
 * with the next orders of examples, the next dropout masks and what the optimizer remembers, so
 * that {@code fit(data, 1)} twenty times gives the same bits as {@code fit(data, 20)}, but where
 * early stopping gave the best epoch's parameters back. {@link #reset} starts anew, from the values
 * that the network has. What the optimizer remembers is on the device until then, or until the
 * network is closed.
 *
 * <p>This class is long because it is all that may be set before a run, a method each.
 *
 * {@snippet file="Examples.java" region="trainer"}
 */
public final class Trainer {
  private final Network network;
  private final Map<String, Optimizer> groups = new LinkedHashMap<>();
  private final Map<String, Clip> clips = new LinkedHashMap<>();
  private final Map<String, Double> maxNorms = new LinkedHashMap<>();
  private final List<Listener> listeners = new ArrayList<>();
  private @Nullable Device device;
  private MathMode math = MathMode.STRICT;
  private Loss loss = new SoftmaxCrossEntropy();
  private @Nullable List<Metric> metrics;
  private Optimizer optimizer = Adam.rate(1e-3);
  private Schedule schedule = Schedule.CONSTANT;
  private Schedule momentumSchedule = Schedule.CONSTANT;
  private Schedule decaySchedule = Schedule.CONSTANT;
  private int batch = 128;
  private LastBatch lastBatch = LastBatch.KEEP;
  private int accumulated = 1;
  private Fusion fusion = Fusion.AUTO;
  private long seed = 1;
  private DataMemory dataMemory = DataMemory.HALF_OF_FREE;
  private @Nullable EarlyStopping earlyStopping;
  private @Nullable Averaging averaging;
  private final Progress progress = new Progress();

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

  /**
   * What is measured beside the loss, in place of what was; until told otherwise that is {@link
   * Accuracy} where the loss is {@link SoftmaxCrossEntropy} or {@link MultiClassHinge}, else
   * nothing.
   *
   * @throws IllegalArgumentException where two have one name
   */
  public Trainer metrics(Metric... metrics) {
    this.metrics = MetricSums.checked(List.of(metrics));
    return this;
  }

  /**
   * The rule by which parameters change that are in no {@link #group}. What it remembers goes on
   * where the rule before remembered the same; its rate is that of the next step.
   */
  public Trainer optimizer(Optimizer optimizer) {
    this.optimizer = optimizer;
    progress.rate(null);
    return this;
  }

  /** How the learning rates of all groups change while training goes on; constant until told. */
  public Trainer schedule(Schedule schedule) {
    this.schedule = schedule;
    return this;
  }

  /**
   * How momentum, or beta1, changes while training goes on, in all groups whose rule has one: as a
   * factor of it, constant until told. {@link #start} throws {@link IllegalArgumentException} where
   * no rule has, a run where a factor makes a momentum 1 or more.
   */
  public Trainer momentumSchedule(Schedule schedule) {
    this.momentumSchedule = schedule;
    return this;
  }

  /**
   * How decoupled weight decay changes while training goes on, in all groups that have it: as a
   * factor of it, constant until told. It is times the learning rate already, whose schedule it
   * follows without one of its own. {@link #start} throws {@link IllegalArgumentException} where no
   * rule has decay.
   */
  public Trainer decaySchedule(Schedule schedule) {
    this.decaySchedule = schedule;
    return this;
  }

  /** Clips the parameters that are in no {@link #group}, taken together, in each step; null: no. */
  public Trainer clip(@Nullable Clip clip) {
    return clip("", clip);
  }

  /**
   * The same for the parameters of a group, by its pattern.
   *
   * @throws IllegalArgumentException where there is no such group
   */
  public Trainer clip(String group, @Nullable Clip clip) {
    if (!group.isEmpty() && !groups.containsKey(group)) {
      throw new IllegalArgumentException(format("there is no group '%s' to clip", group));
    }
    if (clip == null) {
      clips.remove(group);
    } else {
      clips.put(group, clip);
    }
    return this;
  }

  /**
   * Keeps the columns of all matrices, which are the weights into one unit each, from a larger
   * norm: after an update one that is longer is scaled back to it (Srivastava et al. 2014; Keras'
   * {@code MaxNorm(most, axis=0)}). It suits high rates and dropout; 3 or 4 are usual.
   *
   * @throws IllegalArgumentException where it is not positive and finite, there is no matrix, or
   *     one whose columns are not that: a table, or the direction of a {@code WeightNormLinear}
   */
  public Trainer maxNorm(double most) {
    return maxNorm("*", most);
  }

  /**
   * Keeps the columns of some matrices from a larger norm: of those whose name fits {@code
   * pattern}, as {@link #group} has it, and no pattern that was given before: {@code
   * maxNorm("*.weight", 3)} leaves embeddings out, whose vectors are rows.
   *
   * @throws IllegalArgumentException likewise; {@link #start} throws it where all matrices that fit
   *     it are in earlier patterns
   */
  public Trainer maxNorm(String pattern, double most) {
    new MaxNorm(network, Map.of(pattern, MaxNorm.check(most)));
    maxNorms.put(pattern, most);
    return this;
  }

  /**
   * Adds gradients up over so many batches before each update, which is that of one batch of all
   * their rows; an epoch's last update takes the batches that are left. Another number leaves an
   * epoch that a run before did not finish.
   *
   * @throws IllegalArgumentException where it is less than 1
   */
  public Trainer accumulate(int batches) {
    if (batches < 1) {
      throw new IllegalArgumentException("an update takes at least 1 batch, not " + batches);
    }
    this.accumulated = batches;
    return this;
  }

  /**
   * Changes some parameters by a rule of their own, with its rate and decay: those whose name fits
   * {@code pattern}, in which * stands for anything, and no pattern that was given before. So
   * {@code group("*.bias", Adam.rate(1e-3))} keeps the decay and the penalties of the others from
   * biases, which have them otherwise.
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
    dataMemory = dataMemory.most(bytes);
    return this;
  }

  /**
   * Takes data that other trainers take, too, from the device memory that they share; null: each
   * run has its own copy there. {@link #start} refuses one of another device.
   */
  public Trainer sharedData(@Nullable SharedData shared) {
    dataMemory = dataMemory.sharedBy(shared);
    return this;
  }

  /** Ends runs early, and gives the network the parameters of its best epoch back; null: no. */
  public Trainer earlyStopping(@Nullable EarlyStopping earlyStopping) {
    this.earlyStopping = earlyStopping;
    return this;
  }

  /**
   * Keeps an average of the weights beside training, which goes on with its own; null: no. The
   * average is what is evaluated on unseen data, and so what early stopping watches; what {@link
   * TrainingRun#save} writes; and what the network has when fitting returns. Fitting again goes on
   * from the weights that training had, and with the average, which another kind of averaging
   * begins anew; {@link #reset} goes on from the average. Frozen parameters stay as they are; of a
   * table whose gradient is a list of rows the whole is averaged in every update.
   *
   * <p>It costs memory for the weights and buffers once more, and for at most 2^18 values to
   * exchange them by; an exponential average one kernel for the weights and one for each buffer in
   * each update. {@link Listener listeners} see the weights of training in the network, until
   * {@link Listener#onEnd}.
   */
  public Trainer averaging(@Nullable Averaging averaging) {
    this.averaging = averaging;
    return this;
  }

  /** Adds somebody who watches. */
  public Trainer listener(Listener listener) {
    if (listener.every() < 1) {
      throw new IllegalArgumentException(
          "a listener is called every step or more rarely, not every " + listener.every());
    }
    listeners.add(listener);
    return this;
  }

  /**
   * Adds somebody who watches steps: see {@link Listener#every}.
   *
   * @throws IllegalArgumentException where {@code every} is less than 1
   */
  public Trainer onStep(int every, Consumer<TrainingRun> listener) {
    return listener(Listener.ofSteps(every, listener));
  }

  /** Adds somebody who watches epochs. */
  public Trainer onEpoch(BiConsumer<TrainingRun, History.Epoch> listener) {
    return listener(Listener.ofEpochs(listener));
  }

  /**
   * What the optimizer remembers, by parameter: {@code 0.weight.velocity}; empty before the first
   * run. On the device, as it is now.
   */
  public Map<String, Tensor> remembered() {
    return progress.remembered();
  }

  /**
   * Writes what the optimizer remembers and where training stands, as safetensors, complete or not
   * at all: by parameter ({@code 0.weight.first}), the rules in the metadata. The network is saved
   * by itself; the best values of early stopping are not in it, nor what listeners remember, such
   * as the count of {@link OnPlateau}. A listener may save, too.
   *
   * @throws IllegalStateException before the first run, where what the optimizer remembered is
   *     gone, and where an average of the weights is kept
   * @throws IOException where the file cannot be written
   */
  public void saveOptimizer(Path path) throws IOException {
    progress.check(network);
    if (!progress.isSavable()) {
      throw new IllegalStateException(
          "the optimizer is not at work: it is saved after a run, while the network is on its"
              + " device");
    }
    if (progress.average() != null) {
      throw new IllegalStateException(
          "an average of the weights is kept, and a file of the optimizer has neither that nor the"
              + " weights that training goes on from while the network has the average: go on in"
              + " this trainer, or save without averaging");
    }
    Groups rules = new Groups(network, optimizer, groups);
    OptimizerFile.write(path, rules, progress.remembered(), progress.numbers());
  }

  /**
   * Goes on from what {@link #saveOptimizer} wrote: with the network's values of then and the same
   * data, settings and seed, the next run has the bits of one that never stopped, but where {@link
   * OnPlateau}, whose count begins anew, lowers the rate. Returns this.
   *
   * @throws IllegalStateException while a run is open
   * @throws IOException where the file cannot be read, is of another rule or network, or has
   *     numbers that are no position; nothing is changed then
   */
  public Trainer loadOptimizer(Path path) throws IOException {
    OptimizerFile file = OptimizerFile.read(path, new Groups(network, optimizer, groups));
    progress.load(path, file);
    return this;
  }

  /** Where training stands. */
  public Position position() {
    return progress.position();
  }

  /**
   * Forgets where training stands and what the optimizer remembers; the network keeps its values,
   * from which the next run starts as a first one. Returns this.
   *
   * @throws IllegalStateException while a run is open
   */
  public Trainer reset() {
    progress.reset();
    return this;
  }

  /**
   * Trains, without evaluating on unseen data; else as {@link #fit(Dataset, Dataset, int)}.
   *
   * @param epochs how many passes over the data
   */
  public History fit(Dataset train, int epochs) {
    return run(train, null, epochs);
  }

  /**
   * Trains. An interrupt of the thread ends the run before its next step, and is cleared.
   *
   * @param train what to learn from
   * @param test unseen data to evaluate on after every epoch
   * @param epochs how many passes over the data; one that a run before left unfinished counts
   * @throws IllegalArgumentException where network, loss and data do not fit, epochs are less than
   *     1, or dropping the last batch leaves none; nothing has been changed then. Where a schedule
   *     gives what is no factor: where epochs begin and end before the first step, for other
   *     updates as their epoch begins
   * @throws DivergedException where the loss, or at the end of an epoch a parameter, is NaN or
   *     infinite
   * @throws IllegalStateException where the network is being trained, or what the optimizer
   *     remembers is gone
   */
  public History fit(Dataset train, Dataset test, int epochs) {
    Objects.requireNonNull(test, "test data: fit(train, epochs) needs none");
    return run(train, test, epochs);
  }

  private History run(Dataset train, @Nullable Dataset test, int epochs) {
    if (epochs < 1) {
      throw new IllegalArgumentException("at least 1 epoch, not " + epochs);
    }
    try (TrainingRun run = begin(train, test, schedule, averaging)) {
      return run.epochs(epochs);
    }
  }

  /**
   * Puts the network and the data on the device and records the step, but trains nothing yet: for
   * those who step by themselves, or look where the time goes.
   *
   * @throws IllegalArgumentException where network, loss and data do not fit, or the network has no
   *     parameters
   */
  public TrainingRun start(Dataset train) {
    return begin(train, null, schedule, averaging);
  }

  /** The same, under another schedule and without an average. */
  TrainingRun tryRates(Dataset train, Schedule schedule) {
    return begin(train, null, schedule, null);
  }

  /** What is remembered between runs. */
  Progress progress() {
    return progress;
  }

  /** The same, with unseen data to evaluate on. */
  public TrainingRun start(Dataset train, Dataset test) {
    Objects.requireNonNull(test, "test data: start(train) needs none");
    return begin(train, test, schedule, averaging);
  }

  private TrainingRun begin(
      Dataset train, @Nullable Dataset test, Schedule schedule, @Nullable Averaging average) {
    if (device == null) {
      throw new IllegalStateException("say where to train: on(Device.best())");
    }
    device.check();
    dataMemory.check(device);
    if (network.named().values().stream().noneMatch(Parameter::isTrained)) {
      throw new IllegalArgumentException(
          network.named().isEmpty()
              ? "the network has nothing to train: it has no layer with parameters"
              : "the network has nothing to train: all its parameters are frozen");
    }
    List<Metric> measured = metrics == null ? MetricSums.usual(loss) : metrics;
    WantedColumns columns = WantedColumns.of(network, loss, measured, train, "training data");
    if (test != null) {
      WantedColumns.of(network, loss, measured, test, "test data");
    }
    if (accumulated > 1 && loss.isWeighted()) {
      throw new IllegalArgumentException(
          format(
              "accumulate(%d) adds up gradients of batches that count by their rows, and %s divides"
                  + " by the sum of the weights of rows, which differs from batch to batch: take"
                  + " its sum(), or one batch an update",
              accumulated, loss.spec()));
    }
    return new TrainingRun(
        new TrainingRun.Settings(
            network,
            device,
            math,
            loss,
            measured,
            columns,
            optimizer,
            new LinkedHashMap<>(groups),
            Map.copyOf(clips),
            new LinkedHashMap<>(maxNorms),
            new Rates.Schedules(schedule, momentumSchedule, decaySchedule),
            batch,
            lastBatch,
            accumulated,
            fusion,
            seed,
            dataMemory,
            earlyStopping,
            average,
            listeners),
        progress,
        train,
        test);
  }
}
