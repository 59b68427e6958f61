// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.StepState;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.BatchOrder;
import dev.weft.data.Dataset;
import dev.weft.data.LastBatch;
import dev.weft.device.Closing;
import dev.weft.nn.Loss;
import dev.weft.nn.Network;
import dev.weft.nn.ParameterArena;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Runs a network over one data set in inference mode: nothing is dropped, nothing is recorded for
 * gradients. The data stays on the device, so that evaluating again costs no upload.
 *
 * {@snippet file="Examples.java" region="evaluator"}
 */
public final class Evaluator implements AutoCloseable {
  private final Network network;
  private final ParameterArena arena;
  private final Device device;
  private final Loss loss;
  private final Dataset data;
  private final BatchOrder order;
  private final DType dtype;
  private StepState state;
  private BatchData rows;
  private MetricSums metrics;
  private RecordedStep full;
  private RecordedStep rest;
  private long passes;
  private boolean closed;

  /**
   * Puts the data on the device, or streams it where it is large: see {@link Trainer#dataMemory}.
   *
   * @param network on the device
   * @param batch rows at a time; cut to the number of rows
   * @throws IllegalArgumentException where data and network do not fit
   */
  public Evaluator(Network network, Loss loss, Dataset data, int batch) {
    this(network, loss, MetricSums.usual(loss), data, batch);
  }

  /** The same, with other metrics than those that a {@link Trainer} takes for granted. */
  public Evaluator(Network network, Loss loss, List<Metric> metrics, Dataset data, int batch) {
    this(network, loss, MetricSums.checked(metrics), data, batch, null, DataMemory.HALF_OF_FREE);
  }

  /** The same, in the memory of a step that never runs at the same time. */
  Evaluator(
      Network network,
      Loss loss,
      List<Metric> measured,
      Dataset data,
      int batch,
      @Nullable RecordedStep over,
      DataMemory memory) {
    WantedColumns columns = WantedColumns.of(network, loss, measured, data, "data");
    this.network = network;
    this.dtype = network.math().dtype();
    this.arena = network.arena();
    this.device = arena.values().device();
    this.loss = loss;
    this.data = data;
    this.order = new BatchOrder(data.rows(), Math.min(batch, data.rows()), LastBatch.KEEP, 0);
    try {
      state = new StepState(device, 0);
      rows = memory.put(device, columns.wanted(dtype), data, order, EpochOrder.ASCENDING);
      metrics = new MetricSums(device, dtype.wide(), loss, columns.constants(), measured);
      full = record(order.rowsIn(0), over);
      int last = order.rowsIn(order.batches() - 1);
      rest = last == order.rowsIn(0) ? full : record(last, full);
    } catch (Throwable e) {
      Closing.after(e, this::close);
      throw e;
    }
  }

  private RecordedStep record(int rows, @Nullable RecordedStep over) {
    return new RecordedStep(
        arena.values(),
        state,
        Tape.Mode.INFER,
        over,
        tape -> {
          Inputs<Tensor> batch = this.rows.batch(tape, state, rows);
          tape.math(network.math());
          Tensor y = network.forward(tape, batch);
          metrics.measure(tape, y, batch, rows).add();
          state.advance(rows, false);
          return y;
        });
  }

  /**
   * Loss and metrics over the whole data set; loss and accuracy are NaN where a row's loss is.
   *
   * @throws IllegalStateException where the evaluator or the network was closed, or the network was
   *     moved to other memory
   */
  public Evaluation evaluate() {
    check();
    metrics.reset();
    begin();
    for (int batch = 0; batch < order.batches(); batch++) {
      run(batch);
    }
    return metrics.read(data.rows());
  }

  private void check() {
    if (closed) {
      throw new IllegalStateException("the evaluator is closed");
    }
    if (!network.isOnDevice() || network.arena() != arena) {
      throw new IllegalStateException(
          "the evaluator's network was closed or put on a device again, and the parameters that it"
              + " ran with are gone: make another evaluator");
    }
    full.check();
  }

  private void begin() {
    check();
    state.set(0, 0, 0, 0, 0);
    passes++;
  }

  private void run(int batch) {
    rows.moveTo(passes, batch, state);
    step(batch).run();
  }

  private RecordedStep step(int batch) {
    return batch == order.batches() - 1 ? rest : full;
  }

  /** Gives back all that evaluation needed; the network stays on the device. */
  @Override
  public void close() {
    device.checkMayClose();
    closed = true;
    Closing.all(rest == full ? null : rest, full, metrics, rows, state);
  }
}
