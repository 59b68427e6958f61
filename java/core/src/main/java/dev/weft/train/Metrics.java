// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import dev.weft.device.ReductionFunction;
import dev.weft.nn.Loss;

/** Sums of losses and hits, kept on the device and read when somebody asks. */
final class Metrics implements AutoCloseable {
  private final Device device;
  private final boolean countsHits;
  private final Tensor sums; // losses, hits

  Metrics(Device device, DType dtype, Loss loss) {
    this.device = device;
    this.countsHits = loss.countsHits();
    this.sums = device.zeros(dtype, Shape.of(2)).named("metrics");
  }

  boolean countsHits() {
    return countsHits;
  }

  /** The sums of losses and of hits. */
  Tensor sums() {
    return sums;
  }

  void reset() {
    sums.fill(0);
  }

  /** Runs, or records, the kernels that add a batch. */
  void add(Tensor loss, double weight, Tensor hits) {
    Engine.run(
        device,
        Kernel.COPY_ROWS,
        sums.dtype().precision(),
        new Arguments.CopyRows(
            Engine.address(loss), Engine.address(sums), 1, 1, 1, 1, weight, true));
    if (hits != null) {
      var arguments =
          new Arguments.Reduce(
              Engine.address(hits),
              Engine.address(sums) + sums.dtype().bytes(),
              1,
              hits.elements(),
              1,
              1,
              ReductionFunction.SUM,
              1,
              true);
      Engine.run(device, Kernel.REDUCE, sums.dtype().precision(), arguments);
    }
  }

  /** Waits for the device and reads the means over {@code rows}. */
  Evaluation read(long rows) {
    double[] values = sums.toDoubles();
    // an output that is NaN is neither a hit nor a miss
    boolean counts = countsHits && !Double.isNaN(values[0]);
    return new Evaluation(values[0] / rows, counts ? values[1] / rows : Double.NaN, rows);
  }

  @Override
  public void close() {
    sums.close();
  }
}
