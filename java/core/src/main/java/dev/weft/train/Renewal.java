// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import dev.weft.Inputs;
import dev.weft.MathMode;
import dev.weft.StepState;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.BatchOrder;
import dev.weft.device.Closing;
import dev.weft.nn.BatchStatistics;
import dev.weft.nn.Network;
import org.jspecify.annotations.Nullable;

/**
 * Passes over the training data that find the running values of batch norm for weights that no
 * batch was trained with. Without a batch norm it does nothing.
 */
final class Renewal implements AutoCloseable {
  private final Network network;
  private final MathMode math;
  private final BatchData data;
  private final BatchOrder order;
  private final BatchStatistics statistics;
  private final StepState state;
  private @Nullable RecordedStep full;
  private @Nullable RecordedStep rest;

  /**
   * Records the steps of a pass.
   *
   * @param over a step that never runs at the same time, whose memory these may use
   */
  Renewal(Network network, MathMode math, BatchData data, BatchOrder order, RecordedStep over) {
    this.network = network;
    this.math = math;
    this.data = data;
    this.order = order;
    statistics = new BatchStatistics(network);
    try {
      state = new StepState(data.device, 0);
      if (!statistics.isEmpty()) {
        full = record(order.rowsIn(0), over);
        int last = order.rowsIn(order.batches() - 1);
        rest = last == order.rowsIn(0) ? full : record(last, over);
      }
    } catch (Throwable e) {
      Closing.after(e, this::close);
      throw e;
    }
  }

  private RecordedStep record(int rows, RecordedStep over) {
    return new RecordedStep(
        network.arena().values(),
        state,
        Tape.Mode.TRAIN,
        over,
        tape -> {
          Inputs<Tensor> batch = data.batch(tape, state, rows);
          tape.math(math);
          Tensor[] y = new Tensor[1];
          statistics.adding(() -> y[0] = tape.withoutGradient(() -> network.forward(tape, batch)));
          state.advance(rows, false);
          return y[0];
        });
  }

  /**
   * Runs a pass; dropout draws as the seed and the number of the first step say.
   *
   * @param epoch whose order of examples it takes
   */
  void run(long seed, long step, long epoch) {
    if (full == null || rest == null) {
      return;
    }
    statistics.clear();
    state.set(seed, step, 0, 0, 0);
    for (int batch = 0; batch < order.batches(); batch++) {
      data.moveTo(epoch, batch, state);
      (order.rowsIn(batch) == order.rowsIn(0) ? full : rest).run();
    }
    data.leave();
    statistics.finish(order.batches());
  }

  @Override
  public void close() {
    data.device.checkMayClose();
    Closing.all(rest == full ? null : rest, full, state, statistics);
  }
}
