// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.Inputs;
import dev.weft.MathMode;
import dev.weft.Shape;
import dev.weft.StepState;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.BatchOrder;
import dev.weft.device.Closing;
import dev.weft.device.LargestBatch;
import dev.weft.device.OutOfDeviceMemoryException;
import dev.weft.device.Phase;
import dev.weft.device.Recorder;
import dev.weft.nn.Loss;
import dev.weft.nn.Network;
import dev.weft.nn.ParameterArena;
import dev.weft.optim.Updates;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The recorded steps of a training run: one for each kind of batch that an epoch has, which differ
 * in the number of rows and in the place within an update. All share the memory of the first.
 */
final class Steps implements AutoCloseable {
  /**
   * What a batch is in an epoch.
   *
   * @param rows how many it has
   * @param first whether gradients begin with it; else they are added
   * @param last whether an update follows
   * @param share what its loss counts for, that of the first batch of an epoch being 1
   * @param scale what makes the sum of gradients that of the mean loss over all rows of the update
   */
  record Kind(int rows, boolean first, boolean last, double share, double scale) {

    /** The kind of a batch where so many batches make an update, or fewer at an epoch's end. */
    static Kind of(BatchOrder order, int accumulated, Loss loss, int batch) {
      int begin = batch - batch % accumulated;
      int end = (int) Math.min((long) begin + accumulated, order.batches());
      int rows = order.rowsIn(batch);
      if (end - begin == 1) {
        return new Kind(rows, true, true, 1, 1);
      }
      int all = 0;
      for (int b = begin; b < end; b++) {
        all += order.rowsIn(b);
      }
      double full = loss.weight(order.rowsIn(0));
      boolean last = batch + 1 == end;
      double scale = last ? full / loss.weight(all) : 1;
      return new Kind(rows, batch == begin, last, loss.weight(rows) / full, scale);
    }
  }

  /**
   * What all of them work on.
   *
   * @param average the average of the weights; null where none is taken
   */
  record Parts(
      Device device,
      Network network,
      MathMode math,
      Loss loss,
      StepState state,
      BatchData data,
      MetricSums metrics,
      Updates updates,
      @Nullable AveragedValues average) {}

  private static final int FEW = 8;
  private static final int MORE = 64;

  private final Parts parts;
  private final @Nullable FusedStep fused;
  private final Map<Kind, RecordedStep> recorded = new LinkedHashMap<>();
  private final RecordedStep[] steps; // of the batches of an epoch, in order
  private final boolean[] ends; // whether an update ends with a batch

  /**
   * Records the steps of an epoch.
   *
   * @param fused runs them in place of an operation after another; or null
   */
  Steps(Parts parts, BatchOrder order, int accumulated, @Nullable FusedStep fused) {
    this.parts = parts;
    this.fused = fused;
    this.steps = new RecordedStep[order.batches()];
    this.ends = new boolean[order.batches()];
    try {
      for (int batch = 0; batch < steps.length; batch++) {
        Kind kind = Kind.of(order, accumulated, parts.loss(), batch);
        if (!recorded.containsKey(kind)) {
          recorded.put(kind, recorded.isEmpty() ? record(kind, null) : smaller(kind, order));
        }
        steps[batch] = recorded.get(kind);
        ends[batch] = kind.last();
      }
    } catch (OutOfDeviceMemoryException e) {
      Closing.after(e, this::close);
      throw fused == null ? explained(e, this, order.rowsIn(0)) : e;
    } catch (Throwable e) {
      Closing.after(e, this::close);
      throw e;
    }
  }

  /**
   * What a failure for want of memory says of the largest batch that would have had it: estimated
   * from steps of few rows, which are recorded and given back.
   */
  private static OutOfDeviceMemoryException explained(
      OutOfDeviceMemoryException failure, Steps steps, int rows) {
    Device device = steps.parts.device();
    device.trim();
    long free = device.freeMemory();
    try {
      return LargestBatch.measured(FEW, steps.bytes(FEW), MORE, steps.bytes(MORE), free)
          .explain(failure, rows);
    } catch (OutOfDeviceMemoryException e) {
      return failure; // there is no memory for few rows either
    }
  }

  /** A step after the first, which may be of fewer rows than the network takes. */
  private RecordedStep smaller(Kind kind, BatchOrder order) {
    try {
      return record(kind, first());
    } catch (IllegalArgumentException e) {
      if (kind.rows() == order.rowsIn(0)) {
        throw e;
      }
      throw new IllegalArgumentException(
          format(
              "the last batch of an epoch has %d of %d rows: %s; leave it out (LastBatch.DROP,"
                  + " --last-batch drop), or choose another batch size",
              kind.rows(), order.rowsIn(0), e.getMessage()),
          e);
    }
  }

  /** What a step of so many rows takes. */
  private long bytes(int rows) {
    long before = parts.device().memory().live();
    try (RecordedStep step = record(new Kind(rows, true, true, 1, 1), null)) {
      step.check();
      return parts.device().memory().live() - before;
    }
  }

  private RecordedStep record(Kind kind, @Nullable RecordedStep over) {
    ParameterArena arena = parts.network().arena();
    return new RecordedStep(
        arena.values(),
        parts.state(),
        Tape.Mode.TRAIN,
        over,
        tape -> {
          StepState state = parts.state();
          Tensor loss = fused == null ? step(tape, kind) : fused.step(tape, state, kind.rows());
          if (kind.last()
              && parts.average() instanceof AveragedValues average
              && average.rule() instanceof Averaging.Exponential rule) {
            Engine.recorder(parts.device()).label(Phase.OPTIMIZER, rule.spec());
            average.step(rule.decay());
          }
          return loss;
        });
  }

  private Tensor step(Tape tape, Kind kind) {
    ParameterArena arena = parts.network().arena();
    Recorder recorder = Engine.recorder(parts.device());
    arena.zeroGradients();
    if (!kind.first()) {
      arena.keepGradients();
    }
    recorder.label(Phase.DATA, "batch");
    Inputs<Tensor> batch = parts.data().batch(tape, parts.state(), kind.rows());
    recorder.label(Phase.FORWARD, "network");
    tape.math(parts.math());
    Tensor y = parts.network().forward(tape, batch);
    recorder.label(Phase.LOSS, parts.loss().spec());
    MetricSums.Measured measured = parts.metrics().measure(tape, y, batch, kind.rows());
    recorder.label(Phase.METRICS, "metrics");
    measured.add(); // before backward gives back outputs that metrics may have passed on
    Tensor loss = measured.loss();
    recorder.label(Phase.BACKWARD, parts.loss().spec());
    if (kind.share() == 1) {
      tape.backward(loss);
    } else {
      Tensor share = tape.make(loss.dtype(), Shape.of());
      share.fill(kind.share());
      tape.backward(loss, share.view(0, loss.shape()));
    }
    recorder.label(Phase.BACKWARD, "network");
    arena.fillMissingGradients();
    if (kind.last()) {
      recorder.label(Phase.OPTIMIZER, parts.updates().spec());
      parts.updates().step(tape, parts.state(), kind.scale());
    }
    recorder.label(Phase.METRICS, "metrics");
    parts.state().advance(kind.rows(), kind.last());
    return loss;
  }

  /** The step of the first batch of an epoch, which is a full one. */
  RecordedStep first() {
    return steps[0];
  }

  /** The step of a batch of an epoch. */
  RecordedStep of(int batch) {
    return steps[batch];
  }

  /** Whether an update ends with a batch. */
  boolean updates(int batch) {
    return ends[batch];
  }

  /** How many updates end within the first so many batches of an epoch. */
  int updatesBefore(int batch) {
    int updates = 0;
    for (int b = 0; b < batch; b++) {
      updates += ends[b] ? 1 : 0;
    }
    return updates;
  }

  /** How many batches from this one on are as the first of an epoch, all in a row. */
  int likeFirst(int batch) {
    int end = batch;
    while (end < steps.length && steps[end] == steps[0]) {
      end++;
    }
    return end - batch;
  }

  /** Whether gradients lie in memory after a step. */
  boolean leavesGradients() {
    return fused == null;
  }

  @Override
  public void close() {
    Closing closing = new Closing();
    recorded.values().stream().skip(1).forEach(step -> closing.run(step::close));
    recorded.values().stream().limit(1).forEach(step -> closing.run(step::close));
    if (fused != null) {
      closing.run(fused::close);
    }
    closing.finish();
  }
}
