// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.Inputs;
import dev.weft.MathMode;
import dev.weft.Shape;
import dev.weft.StepState;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.BatchOrder;
import dev.weft.data.Dataset;
import dev.weft.data.LastBatch;
import dev.weft.device.Closing;
import dev.weft.device.Phase;
import dev.weft.device.Recorder;
import dev.weft.nn.Loss;
import dev.weft.nn.Network;
import dev.weft.nn.ParameterArena;
import dev.weft.nn.ParameterLayout;
import dev.weft.optim.Optimizer;
import dev.weft.profile.Ceilings;
import dev.weft.profile.Profile;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * A training run in progress: data and recorded steps on the device. Made by {@link Trainer#start}.
 */
public final class TrainingRun implements AutoCloseable {
  private static final double SECONDS_PER_CEILING = 0.05;

  /** What a trainer was told. */
  record Settings(
      Network network,
      Device device,
      MathMode math,
      Loss loss,
      WantedColumns columns,
      Optimizer optimizer,
      Map<String, Optimizer> groups,
      Map<String, Double> clips,
      int batch,
      LastBatch lastBatch,
      Fusion fusion,
      long seed,
      DataMemory dataMemory,
      List<Listener> listeners) {}

  private final Settings settings;
  private final BatchOrder order;
  private StepState state;
  private BatchData data;
  private Metrics metrics;
  private Updates optimizer;
  private FusedStep fused;
  private RecordedStep full;
  private RecordedStep rest;
  private Evaluator evaluator;
  private long stepsDone;
  private long stepsFinite; // when the loss was last read
  private int epoch;
  private int batch;
  private int orderedEpoch = -1;
  private boolean closed;

  TrainingRun(Settings settings, Dataset train, Dataset test) {
    this.settings = settings;
    this.order =
        new BatchOrder(train.rows(), settings.batch(), settings.lastBatch(), settings.seed());
    Device device = settings.device();
    DType dtype = settings.math().dtype();
    Network network = settings.network();
    check(train, test);
    try {
      ParameterLayout layout =
          new Updates.Groups(network, settings.optimizer(), settings.groups())
              .layout(network.named().values());
      if (!network.isOnDevice()
          || network.arena().values().device() != device
          || network.math() != settings.math()
          || !network.arena().layout().equals(layout)) {
        network.on(device, settings.math(), settings.seed(), layout);
      }
      state = new StepState(device, settings.seed(), settings.optimizer().rate());
      SequencedMap<String, DType> wanted = settings.columns().wanted(dtype);
      data = settings.dataMemory().put(device, wanted, train, order, order::epoch);
      metrics = new Metrics(device, dtype.wide(), settings.loss());
      optimizer = Updates.start(network, settings.optimizer(), settings.groups());
      fused = fuse(train);
      full = record(order.rowsIn(0), null);
      int last = order.rowsIn(order.batches() - 1);
      rest = last == order.rowsIn(0) ? full : record(last, full);
      evaluator =
          test == null
              ? null
              : new Evaluator(
                  network, settings.loss(), test, settings.batch(), full, settings.dataMemory());
    } catch (Throwable e) {
      Closing.after(e, this::close);
      throw e;
    }
  }

  /** Returns if the settings suit the data; asked while the network is still where it was. */
  private void check(Dataset train, Dataset test) {
    String obstacle = FusedStep.obstacle(settings, train);
    if (obstacle != null && settings.fusion() == Fusion.ALWAYS) {
      throw new IllegalArgumentException("the step cannot be fused: " + obstacle);
    }
    SequencedMap<String, DType> wanted = settings.columns().wanted(settings.math().dtype());
    long memory = settings.dataMemory().of(settings.device());
    BatchData.check(wanted, train, order.rowsIn(0), memory);
    if (test != null) {
      BatchData.check(wanted, test, Math.min(settings.batch(), test.rows()), memory);
    }
  }

  private FusedStep fuse(Dataset train) {
    if (settings.fusion() == Fusion.NEVER) {
      return null;
    }
    String obstacle = FusedStep.obstacle(settings, train);
    if (obstacle != null
        || settings.fusion() == Fusion.AUTO
            && !FusedStep.isFaster(settings.device(), settings.math().dtype(), order.rowsIn(0))) {
      return null;
    }
    var on =
        new FusedStep.Settings(
            settings, settings.network().arena().values(), data, metrics, optimizer);
    return new FusedStep(on, order.rowsIn(0));
  }

  /** Whether the step runs as the two fused kernels. */
  boolean isFused() {
    return fused != null;
  }

  private RecordedStep record(int rows, RecordedStep over) {
    ParameterArena arena = settings.network().arena();
    Loss loss = settings.loss();
    return new RecordedStep(
        arena.values(),
        state,
        Tape.Mode.TRAIN,
        over,
        tape -> {
          if (fused != null) {
            return fused.step(tape, state, rows);
          }
          Recorder recorder = Engine.recorder(settings.device());
          arena.zeroGradients();
          recorder.label(Phase.DATA, "batch");
          Inputs<Tensor> batch = data.batch(tape, state, rows);
          recorder.label(Phase.FORWARD, "network");
          tape.math(settings.math());
          Tensor y = settings.network().forward(tape, batch);
          recorder.label(Phase.LOSS, loss.spec());
          Tensor hits = metrics.countsHits() ? tape.make(y.dtype().wide(), Shape.of(rows)) : null;
          Tensor value = loss.apply(tape, y, batch, hits);
          recorder.label(Phase.BACKWARD, loss.spec());
          tape.backward(value);
          recorder.label(Phase.BACKWARD, "network");
          arena.fillMissingGradients();
          recorder.label(Phase.METRICS, "metrics");
          metrics.add(value, loss.weight(rows), hits);
          recorder.label(Phase.OPTIMIZER, settings.optimizer().spec());
          optimizer.clip(tape, settings.clips());
          optimizer.step(state);
          recorder.label(Phase.METRICS, "metrics");
          state.advance(rows);
          return value;
        });
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("the training run is closed");
    }
  }

  /** The number of steps in an epoch. */
  public int stepsPerEpoch() {
    return order.batches();
  }

  /**
   * Runs one step; the first of an epoch takes a new order of examples.
   *
   * @throws IllegalStateException where the run or the network was closed, the network was moved,
   *     or the device is another thread's
   */
  public void step() {
    checkOpen();
    full.check();
    moveToBatch();
    (batch == order.batches() - 1 ? rest : full).run();
    stepped();
  }

  /** Whether the next step is the first of an epoch, and its data are not on the device yet. */
  boolean beginsEpoch() {
    return batch == 0 && orderedEpoch != epoch;
  }

  /** Brings the batch of the next step to the device; done again, it does nothing. */
  void moveToBatch() {
    if (beginsEpoch()) {
      state.set(settings.seed(), stepsDone, stepsDone, 0, settings.optimizer().rate());
      metrics.reset();
      orderedEpoch = epoch;
    }
    data.moveTo(epoch, batch, state);
  }

  /** Notes that a step was run. */
  void stepped() {
    stepsDone++;
    batch++;
    if (batch == order.batches()) {
      batch = 0;
      epoch++;
    }
  }

  /** The step of a full batch. */
  RecordedStep full() {
    return full;
  }

  /** How many of the steps that this epoch still has are of full batches, all in a row. */
  int fullStepsLeft() {
    return order.batches() - batch - (rest == full ? 0 : 1);
  }

  /**
   * Trains on and finds out where the time of a step goes.
   *
   * @param steps how many steps are timed call by call; as many are replayed as usual, in turn
   * @throws IllegalArgumentException where {@code steps} is less than 1
   */
  public Profile profile(int steps) {
    checkProfile(steps);
    return profile(steps, new Ceilings(settings.device(), SECONDS_PER_CEILING));
  }

  /** The same, beside ceilings that were measured before. */
  public Profile profile(int steps, Ceilings ceilings) {
    checkProfile(steps);
    return new StepProfiler(this, settings.device()).profile(steps, ceilings);
  }

  private void checkProfile(int steps) {
    checkOpen();
    full.check();
    if (steps < 1) {
      throw new IllegalArgumentException("a profile needs at least 1 step, not " + steps);
    }
  }

  /**
   * The loss of the last step; waits for the device.
   *
   * @throws IllegalStateException where there was none yet
   */
  public double loss() {
    checkOpen();
    if (stepsDone == 0) {
      throw new IllegalStateException("there is no loss before the first step");
    }
    boolean wasLast = batch == 0;
    return (wasLast ? rest : full).result().item();
  }

  /** The means over the rows of this epoch so far, or of the last one before the next begins. */
  Evaluation trained() {
    return metrics.read(rowsOf(beginsEpoch() && epoch > 0 ? order.batches() : batch));
  }

  /** The rows of the first so many batches of an epoch. */
  private long rowsOf(int batches) {
    return Math.min((long) batches * order.rowsIn(0), order.rows());
  }

  History epochs(int count) {
    List<History.Epoch> history = new ArrayList<>();
    for (int number = 1; number <= count; number++) {
      long start = System.nanoTime();
      Evaluation train = null;
      for (int step = 1; step <= order.batches(); step++) {
        step();
        for (Listener listener : settings.listeners()) {
          if (step % listener.every() == 0 || step == order.batches()) {
            train = read(step);
            listener.onProgress(progress(number, count, step, train, start));
          }
        }
      }
      if (train == null) {
        train = read(order.batches());
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      checkParameters();
      Evaluation test = evaluator == null ? null : evaluator.evaluate();
      History.Epoch epoch = new History.Epoch(number, train, test, seconds);
      history.add(epoch);
      settings.listeners().forEach(listener -> listener.onEpoch(epoch));
    }
    return new History(history);
  }

  private Listener.Progress progress(
      int number, int count, int step, Evaluation train, long start) {
    double seconds = (System.nanoTime() - start) / 1e9;
    return new Listener.Progress(
        number,
        count,
        step,
        order.batches(),
        train.loss(),
        train.accuracy(),
        train.rows() / seconds);
  }

  private Evaluation read(int steps) {
    Evaluation train = metrics.read(rowsOf(steps));
    if (!Double.isFinite(train.loss())) {
      throw new DivergedException(
          format(
              "%s, %s: lower the learning rate (%s now), or look for extreme values in the data",
              when(train.loss()),
              Divergence.of(settings.network(), fused == null),
              settings.optimizer().rate()),
          stepsFinite + 1,
          stepsDone);
    }
    stepsFinite = stepsDone;
    return train;
  }

  /**
   * A loss is that of the parameters before its step; what the last step made of them it misses.
   */
  private void checkParameters() {
    if (!settings.network().notFinite().isEmpty()) {
      throw new DivergedException(
          format(
              "after step %d, %s: lower the learning rate (%s now), or look for extreme values in"
                  + " the data",
              stepsDone,
              Divergence.of(settings.network(), fused == null),
              settings.optimizer().rate()),
          stepsDone,
          stepsDone);
    }
  }

  /** The loss is the mean of the epoch so far: it was finite when it was read before. */
  private String when(double loss) {
    return stepsFinite + 1 == stepsDone
        ? format("the loss is %s at step %d", loss, stepsDone)
        : format(
            "the loss became %s in one of the steps %d to %d", loss, stepsFinite + 1, stepsDone);
  }

  /** Gives back all that training needed; the network stays on the device. */
  @Override
  public void close() {
    settings.device().checkMayClose();
    closed = true;
    if (settings.network().isOnDevice()) {
      settings.network().arena().forgetRows(); // they lie in memory of the steps
    }
    Closing.all(
        evaluator, rest == full ? null : rest, full, fused, optimizer, metrics, data, state);
  }
}
