// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Inputs;
import dev.weft.Shape;
import dev.weft.StepState;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.BatchOrder;
import dev.weft.data.Dataset;
import dev.weft.data.LastBatch;
import dev.weft.device.Closing;
import dev.weft.nn.Loss;
import dev.weft.nn.Network;

/**
 * Runs a network over one data set in inference mode: nothing is dropped, nothing is recorded for
 * gradients. The data stays on the device, so that evaluating again costs no upload.
 */
public final class Evaluator implements AutoCloseable {
  private final Network network;
  private final Device device;
  private final Loss loss;
  private final Dataset data;
  private final BatchOrder order;
  private final DType dtype;
  private StepState state;
  private BatchData rows;
  private Metrics metrics;
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
    this(network, loss, data, batch, null, DataMemory.HALF_OF_FREE);
  }

  /** The same, in the memory of a step that never runs at the same time. */
  Evaluator(
      Network network, Loss loss, Dataset data, int batch, RecordedStep over, DataMemory memory) {
    WantedColumns columns = WantedColumns.of(network, loss, data, "data");
    this.network = network;
    this.dtype = network.math().dtype();
    this.device = network.arena().values().device();
    this.loss = loss;
    this.data = data;
    this.order = new BatchOrder(data.rows(), Math.min(batch, data.rows()), LastBatch.KEEP, 0);
    try {
      state = new StepState(device, 0);
      rows = memory.put(device, columns.wanted(dtype), data, order, EpochOrder.ASCENDING);
      metrics = new Metrics(device, dtype.wide(), loss);
      full = record(order.rowsIn(0), over);
      int last = order.rowsIn(order.batches() - 1);
      rest = last == order.rowsIn(0) ? full : record(last, full);
    } catch (Throwable e) {
      Closing.after(e, this::close);
      throw e;
    }
  }

  private RecordedStep record(int rows, RecordedStep over) {
    return new RecordedStep(
        network.arena().values(),
        state,
        Tape.Mode.INFER,
        over,
        tape -> {
          Inputs<Tensor> batch = this.rows.batch(tape, state, rows);
          tape.math(network.math());
          Tensor y = network.forward(tape, batch);
          Tensor hits = metrics.countsHits() ? tape.make(dtype.wide(), Shape.of(rows)) : null;
          Tensor value = loss.apply(tape, y, batch, hits);
          metrics.add(value, loss.weight(rows), hits);
          state.advance(rows);
          return y;
        });
  }

  /** Loss and accuracy over the whole data set; both are NaN where the loss of a row is. */
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
