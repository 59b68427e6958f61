// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.StepState;
import dev.weft.data.BatchOrder;
import dev.weft.data.Dataset;
import dev.weft.data.LastBatch;
import dev.weft.device.Closing;
import dev.weft.nn.Loss;
import dev.weft.nn.Network;
import dev.weft.nn.ParameterArena;
import dev.weft.nn.ParameterLayout;
import dev.weft.optim.Clip;
import dev.weft.optim.Groups;
import dev.weft.optim.MaxNorm;
import dev.weft.optim.Optimizer;
import dev.weft.optim.Updates;
import dev.weft.profile.Ceilings;
import dev.weft.profile.Profile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A training run in progress: data and recorded steps on the device. Made by {@link Trainer#start},
 * or by {@link Trainer#fit}, whose listeners receive it.
 *
 * <p>This class is long because it is all that a listener may ask and change.
 */
public final class TrainingRun implements AutoCloseable {
  private static final double SECONDS_PER_CEILING = 0.05;

  /** What a trainer was told. */
  record Settings(
      Network network,
      Device device,
      MathMode math,
      Loss loss,
      List<Metric> metrics,
      WantedColumns columns,
      Optimizer optimizer,
      Map<String, Optimizer> groups,
      Map<String, Clip> clips,
      Map<String, Double> maxNorms,
      Rates.Schedules schedules,
      int batch,
      LastBatch lastBatch,
      int accumulated,
      Fusion fusion,
      long seed,
      DataMemory dataMemory,
      @Nullable EarlyStopping earlyStopping,
      @Nullable Averaging averaging,
      List<Listener> listeners) {}

  private final Settings settings;
  private final Progress progress;
  private final BatchOrder order;
  private ParameterArena arena;
  private StepState state;
  private BatchData data;
  private MetricSums metrics;
  private @Nullable AveragedValues average;
  private Steps steps;
  private @Nullable Evaluator evaluator;
  private @Nullable Renewal renewal;
  private Rates rates;
  private long entered = -1; // the epoch whose data and rates are on the device
  private long rows; // measured in this epoch
  private long began;
  private @Nullable Evaluation measured;
  private long stepsFinite; // when the loss was last read
  private int planned = 1;
  private final AtomicReference<@Nullable String> stopped = new AtomicReference<>();
  private @Nullable Double lossBefore; // of the last step, whose memory an evaluation took
  private boolean closed;

  TrainingRun(Settings settings, Progress progress, Dataset train, @Nullable Dataset test) {
    this.settings = settings;
    this.progress = progress;
    this.order =
        new BatchOrder(train.rows(), settings.batch(), settings.lastBatch(), settings.seed());
    Device device = settings.device();
    DType dtype = settings.math().dtype();
    Network network = settings.network();
    Groups groups = new Groups(network, settings.optimizer(), settings.groups());
    MaxNorm maxNorm = new MaxNorm(network, settings.maxNorms());
    check(groups, train, test);
    boolean wasAveraged = progress.isAveraged();
    progress.open(this);
    try {
      ParameterLayout layout = groups.layout();
      Updates updates =
          progress.place(
              network,
              groups,
              isInPlace(layout),
              () -> network.on(device, settings.math(), settings.seed(), layout));
      arena = network.arena();
      arena.trainedBy(this);
      average = progress.average(settings.averaging(), network);
      updates.clip(groups.byGroup(settings.clips()));
      updates.maxNorm(maxNorm);
      progress.begin(order, settings.accumulated(), settings.seed());
      stepsFinite = progress.step();
      rates =
          new Rates(
              settings.schedules(),
              progress.rateOr(groups.base().rate()),
              groups.momentum(),
              updatesOf(settings, order));
      state = new StepState(device, settings.seed(), rates.base(), rates.room());
      SequencedMap<String, DType> wanted = settings.columns().wanted(dtype);
      data = settings.dataMemory().put(device, wanted, train, order, order::epoch);
      metrics =
          new MetricSums(
              device,
              dtype.wide(),
              settings.loss(),
              settings.columns().constants(),
              settings.metrics());
      var parts =
          new Steps.Parts(
              device,
              network,
              settings.math(),
              settings.loss(),
              state,
              data,
              metrics,
              updates,
              average);
      FusedStep fused = isFused(train) ? new FusedStep(settings, parts, order.rowsIn(0)) : null;
      steps = new Steps(parts, order, settings.accumulated(), fused);
      arena.gradientsOf(progress);
      evaluator =
          test == null
              ? null
              : new Evaluator(
                  network,
                  settings.loss(),
                  settings.metrics(),
                  test,
                  settings.batch(),
                  steps.first(),
                  settings.dataMemory());
      if (settings.averaging() instanceof Averaging.Stochastic) {
        renewal = new Renewal(network, settings.math(), data, order, steps.first());
      }
    } catch (Throwable e) {
      Closing.after(e, this::close);
      if (wasAveraged) {
        Closing.after(e, progress::takeAverage);
      }
      throw e;
    }
  }

  private static int updatesOf(Settings settings, BatchOrder order) {
    return Math.ceilDiv(order.batches(), settings.accumulated());
  }

  private boolean isInPlace(ParameterLayout layout) {
    Network network = settings.network();
    return network.isOnDevice()
        && network.arena().values().device() == settings.device()
        && network.math() == settings.math()
        && network.arena().layout().equals(layout);
  }

  /** Returns if the settings suit the data; asked while the network is still where it was. */
  private void check(Groups groups, Dataset train, @Nullable Dataset test) {
    progress.check(settings.network());
    groups.check(groups.byGroup(settings.clips()));
    settings.schedules().check(groups);
    if (settings.network().isOnDevice()) {
      settings.network().arena().checkUntrained();
    }
    ParameterLayout layout = groups.layout();
    if (settings.accumulated() > 1 && !layout.tables().isEmpty()) {
      throw new IllegalArgumentException(
          format(
              "gradients do not add up over batches for the table %s, whose gradient is a list of"
                  + " rows: accumulate 1, or make it dense where its layer is built",
              settings.network().name(layout.tables().getFirst())));
    }
    if (settings.earlyStopping() != null) {
      checkWatched("early stopping", settings.earlyStopping().metric());
    }
    String obstacle = FusedStep.obstacle(settings, train);
    if (obstacle != null && settings.fusion() == Fusion.ALWAYS) {
      throw new IllegalArgumentException("the step cannot be fused: " + obstacle);
    }
    SequencedMap<String, DType> wanted = settings.columns().wanted(settings.math().dtype());
    DataMemory memory = settings.dataMemory();
    memory.check(settings.device(), wanted, train, order.rowsIn(0));
    if (test != null) {
      memory.check(settings.device(), wanted, test, Math.min(settings.batch(), test.rows()));
    }
  }

  /**
   * Returns if a metric is measured that somebody watches.
   *
   * @throws IllegalArgumentException that names those that are, where it is not
   */
  void checkWatched(String who, String metric) {
    List<String> names = settings.metrics().stream().map(Metric::name).toList();
    if (!metric.equals(Evaluation.LOSS) && !names.contains(metric)) {
      throw new IllegalArgumentException(
          format(
              "%s watches '%s', which is not measured: there is %s%s",
              who,
              metric,
              Evaluation.LOSS,
              names.isEmpty() ? "" : ", " + String.join(", ", names)));
    }
  }

  private boolean isFused(Dataset train) {
    if (settings.fusion() == Fusion.NEVER || FusedStep.obstacle(settings, train) != null) {
      return false;
    }
    return settings.fusion() == Fusion.ALWAYS
        || FusedStep.isFaster(settings.device(), settings.math().dtype(), order.rowsIn(0));
  }

  /** Whether the step runs as the two fused kernels. */
  boolean isFused() {
    return !steps.leavesGradients();
  }

  Settings settings() {
    return settings;
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("the training run is closed");
    }
  }

  /** The number of steps in an epoch: one for each batch. */
  public int stepsPerEpoch() {
    return order.batches();
  }

  /** The finished steps of this epoch; all of them until the next one begins. */
  public int stepOfEpoch() {
    return isBetweenEpochs() ? order.batches() : progress.batch();
  }

  /** The number of this epoch, from 1; of the one that has ended until the next one begins. */
  public long epoch() {
    return isBetweenEpochs() ? progress.epoch() : progress.epoch() + 1;
  }

  /** The number of the last epoch that {@link Trainer#fit} was asked for. */
  public long lastEpoch() {
    return planned;
  }

  private boolean isBetweenEpochs() {
    return progress.batch() == 0 && progress.epoch() > 0 && entered == progress.epoch() - 1;
  }

  /** Where training stands. */
  public Position position() {
    return progress.position();
  }

  int batch() {
    return progress.batch();
  }

  long stepsDone() {
    return progress.step();
  }

  /** The network that is trained. */
  public Network network() {
    return settings.network();
  }

  /**
   * Writes the network, with the average of its weights where one is taken, as {@link Network#save}
   * does.
   *
   * @throws IOException where the file cannot be written
   */
  public void save(Path path) throws IOException {
    checkOpen();
    boolean wasThere = giveAverage();
    try {
      settings.network().save(path);
    } finally {
      giveBack(wasThere);
    }
  }

  /**
   * Gives the network the average of its weights, where one is taken, as {@link Trainer#fit} does
   * before it returns. The next step goes on from what training had.
   *
   * @throws IllegalStateException where the run is closed
   */
  public void takeAverage() {
    checkOpen();
    giveAverage();
    if (average != null) {
      average.enter();
    }
  }

  /** The average of the weights; null where none is taken. */
  @Nullable AveragedValues average() {
    return average;
  }

  /** Runs something with the average, where there is one, in the network. */
  void averaged(Runnable what) {
    boolean wasThere = giveAverage();
    try {
      what.run();
    } finally {
      giveBack(wasThere);
    }
  }

  /** Gives the network the average, where there is one; whether it was there before. */
  private boolean giveAverage() {
    if (average == null || average.count() == 0) {
      return true;
    }
    boolean wasThere = average.isInNetwork();
    average.enter();
    if (renewal != null && average.renewed() < average.count()) {
      if (rows > 0) {
        lossBefore = loss();
      }
      long epoch = entered < 0 ? progress.epoch() : entered;
      renewal.run(settings.seed(), progress.step(), epoch);
      average.renewed(average.count());
    }
    return wasThere;
  }

  private void giveBack(boolean wasThere) {
    if (average != null && !wasThere) {
      average.leave();
    }
  }

  /**
   * Asks the run to end after this step; the first reason stands. {@link Trainer#fit} then returns
   * the history, and fitting again goes on from here. May be called from any thread.
   *
   * @param reason as it is to stand in {@link History#ended}
   */
  public void stop(String reason) {
    stopped.compareAndSet(null, reason);
  }

  /** Why the run was asked to end; null where it was not. */
  @Nullable String stopped() {
    return stopped.get();
  }

  /** The learning rate that the schedule's factor is for: the optimizer's, or what was set. */
  public double rate() {
    return rates.base();
  }

  /** The learning rate of the next update: {@link #rate} times the schedule's factor. */
  public double nextRate() {
    return rates.of(progress.update(), passes());
  }

  /** The learning rate of the last update of this epoch; the next one's where there was none. */
  double lastRate() {
    int updates = updatesOf(settings, order);
    int done = isBetweenEpochs() ? updates : updatesDone();
    double epoch = isBetweenEpochs() ? progress.epoch() - 1 : progress.epoch();
    return done == 0 ? nextRate() : rates.of(progress.update() - 1, epoch + (done - 1.0) / updates);
  }

  /**
   * Sets the learning rate, which the schedule's factor is for, from the next update on, also for
   * the trainer's later runs.
   *
   * @throws IllegalArgumentException where it is negative, NaN or infinite
   */
  public void rate(double rate) {
    checkOpen();
    Optimizer.checkRate(rate);
    progress.rate(rate);
    rates.base(rate);
    if (entered == progress.epoch()) {
      rates.give(state, progress, updatesDone());
      state.rate(nextRate());
    }
  }

  private int updatesDone() {
    return steps.updatesBefore(progress.batch());
  }

  private double passes() {
    return progress.epoch() + (double) updatesDone() / updatesOf(settings, order);
  }

  /**
   * Runs one step; the first of an epoch takes a new order of examples.
   *
   * @throws IllegalStateException where the run or the network was closed, the network was moved,
   *     or the device is another thread's
   */
  public void step() {
    checkOpen();
    steps.first().check();
    moveToBatch();
    steps.of(progress.batch()).run();
    stepped();
  }

  /** Whether the next step is the first of an epoch, and its data are not on the device yet. */
  boolean beginsEpoch() {
    return entered != progress.epoch();
  }

  /** Brings the batch of the next step to the device; done again, it does nothing. */
  void moveToBatch() {
    if (beginsEpoch()) {
      long cursor = (long) progress.batch() * order.rowsIn(0);
      state.set(
          settings.seed(),
          progress.step(),
          progress.updatesOfMemory(),
          cursor,
          nextRate(),
          rates.momentum(progress.update(), passes()),
          rates.decay(progress.update(), passes()));
      rates.give(state, progress, updatesDone());
      metrics.reset();
      rows = 0;
      began = System.nanoTime();
      entered = progress.epoch();
    }
    if (average != null) {
      average.leave();
    }
    data.moveTo(progress.epoch(), progress.batch(), state);
  }

  /** Notes that a step was run. */
  void stepped() {
    rows += order.rowsIn(progress.batch());
    boolean updated = steps.updates(progress.batch());
    progress.next(updated);
    if (average != null) {
      switch (average.rule()) {
        case Averaging.Exponential rule -> {
          if (updated) {
            average.stepped();
          }
        }
        case Averaging.Stochastic rule -> {
          if (progress.batch() == 0 && progress.epoch() >= rule.fromEpoch()) {
            average.snapshot();
          }
        }
      }
    }
    measured = null;
    lossBefore = null;
  }

  /** The step that most batches have. */
  RecordedStep first() {
    return steps.first();
  }

  /** The step of a batch of an epoch. */
  RecordedStep step(int batch) {
    return steps.of(batch);
  }

  /** How many of the steps that this epoch still has are like the first one, all in a row. */
  int likeFirst() {
    return steps.likeFirst(progress.batch());
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

  private void checkProfile(int count) {
    checkOpen();
    steps.first().check();
    if (settings.accumulated() > 1) {
      throw new IllegalStateException(
          "a profile times steps that are updates: accumulate 1 batch for it");
    }
    if (count < 1) {
      throw new IllegalArgumentException("a profile needs at least 1 step, not " + count);
    }
  }

  /**
   * The loss of the last step; waits for the device.
   *
   * @throws IllegalStateException where there was none yet
   */
  public double loss() {
    checkMeasured();
    if (lossBefore != null) {
      return lossBefore;
    }
    return steps
        .of((progress.batch() == 0 ? order.batches() : progress.batch()) - 1)
        .result()
        .item();
  }

  private void checkMeasured() {
    checkOpen();
    if (rows == 0) {
      throw new IllegalStateException("nothing is measured before the first step");
    }
  }

  /**
   * Loss and metrics over this epoch so far, or over the last one until the next begins; of a run
   * that began within an epoch, over its own part. Waits for the device, once for each step.
   *
   * @throws IllegalStateException where there was no step yet
   * @throws DivergedException where the loss is not finite
   */
  public Evaluation measured() {
    checkMeasured();
    if (measured == null) {
      Evaluation read = metrics.read(rows);
      if (!Double.isFinite(read.loss())) {
        throw diverged(when(read.loss()) + ", ", stepsFinite + 1);
      }
      stepsFinite = progress.step();
      measured = read;
    }
    return measured;
  }

  /** The speed of this epoch so far, in rows a second. */
  public double samplesPerSecond() {
    return rows / ((System.nanoTime() - began) / 1e9);
  }

  /**
   * A loss is that of the parameters before its step; what the last step made of them it misses.
   */
  void checkParameters() {
    if (!settings.network().notFinite().isEmpty()) {
      throw diverged(format("after step %d, ", progress.step()), progress.step());
    }
  }

  private DivergedException diverged(String when, long firstStep) {
    return new DivergedException(
        format(
            "%s%s: lower the learning rate (%s now), or look for extreme values in the data;"
                + " reset() the trainer before it fits again",
            when, Divergence.of(settings.network(), steps.leavesGradients()), nextRate()),
        firstStep,
        progress.step());
  }

  /** The loss is the mean of the epoch so far: it was finite when it was read before. */
  private String when(double loss) {
    return stepsFinite + 1 == progress.step()
        ? format("the loss is %s at step %d", loss, progress.step())
        : format(
            "the loss became %s in one of the steps %d to %d",
            loss, stepsFinite + 1, progress.step());
  }

  /**
   * Loss and metrics over the test data, of the average of the weights where one is taken.
   *
   * @throws IllegalStateException where the run was started without
   */
  public Evaluation evaluate() {
    Evaluator over = evaluator();
    boolean wasThere = giveAverage();
    try {
      return over.evaluate();
    } finally {
      giveBack(wasThere);
    }
  }

  /**
   * The same of the weights that training changes, whether or not an average of them is taken.
   *
   * @throws IllegalStateException where the run was started without test data
   */
  public Evaluation evaluateUnaveraged() {
    Evaluator over = evaluator();
    boolean wasThere = average != null && average.isInNetwork();
    if (average != null) {
      average.leave();
    }
    try {
      return over.evaluate();
    } finally {
      if (average != null && wasThere) {
        average.enter();
      }
    }
  }

  private Evaluator evaluator() {
    checkOpen();
    if (evaluator == null) {
      throw new IllegalStateException("the run has no test data: start(train, test) has");
    }
    if (rows > 0) {
      lossBefore = loss();
    }
    return evaluator;
  }

  boolean hasTest() {
    return evaluator != null;
  }

  /** Gives up gradients that were half added up: the values have changed under them. */
  void rewind() {
    progress.rewind();
  }

  History epochs(int count) {
    planned = Math.toIntExact(progress.epoch() + count);
    try {
      rates.check(progress, updatesDone(), planned);
    } catch (RuntimeException e) {
      Closing.after(e, this::takeAverage);
      throw e;
    }
    return new Loop(this).run();
  }

  /** Gives back all that training needed; the network stays on the device. */
  @Override
  public void close() {
    settings.device().checkMayClose();
    closed = true;
    progress.closed(this);
    if (arena != null) {
      if (settings.network().isOnDevice() && settings.network().arena() == arena) {
        arena.forgetRows(); // they lie in memory of the steps
      }
      arena.leftBy(this);
    }
    Closing.all(renewal, evaluator, steps, metrics, data, state);
  }
}
