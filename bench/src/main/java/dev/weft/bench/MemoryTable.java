// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.data.Dataset;
import dev.weft.nn.Sequential;
import dev.weft.optim.Adam;
import dev.weft.optim.Optimizer;
import dev.weft.optim.Sgd;
import dev.weft.train.Trainer;
import dev.weft.train.TrainingRun;
import java.util.ArrayList;
import java.util.List;

/**
 * The device memory of a training run beside what it should need: parameters x (value + gradient +
 * state) + data set + one batch of activations, all float32 but the data, which are bytes.
 */
final class MemoryTable {
  /** The share by which a run may differ from the formula. */
  static final double TOLERANCE = 0.1;

  private static final int STEPS = 20;

  /**
   * A run.
   *
   * @param formulaBytes what it should need
   * @param peakBytes the most that was live
   * @param deviation peak / formula - 1
   * @param liveBytesAfter live when all but the device is closed
   */
  record Row(
      String network,
      String optimizer,
      long formulaBytes,
      long peakBytes,
      double deviation,
      long liveBytesAfter) {}

  private MemoryTable() {}

  static List<Row> run(Settings settings) {
    Dataset digits = MlpShape.digits();
    List<Row> rows = new ArrayList<>();
    Table table =
        new Table("network", "optimizer", "formula, MB", "peak, MB", "deviation", "live after");
    for (MlpShape shape : MlpShape.values()) {
      for (Optimizer optimizer : new Optimizer[] {Sgd.rate(0.01).momentum(0.9), Adam.rate(1e-3)}) {
        if (!settings.wants(shape + " " + optimizer.spec())) {
          continue;
        }
        Row row = measure(shape, optimizer, digits);
        rows.add(row);
        table.add(
            row.network(),
            row.optimizer(),
            "%.2f".formatted(row.formulaBytes() / 1e6),
            "%.2f".formatted(row.peakBytes() / 1e6),
            "%+.1f %%%s"
                .formatted(
                    100 * row.deviation(),
                    Math.abs(row.deviation()) > TOLERANCE ? " (more than 10 %)" : ""),
            Long.toString(row.liveBytesAfter()));
      }
    }
    table.print("Device memory of a training run, " + digits.rows() + " digits resident");
    return rows;
  }

  private static Row measure(MlpShape shape, Optimizer optimizer, Dataset digits) {
    try (Device device = Device.cpu()) {
      long peak;
      try (Sequential network = WeftTraining.network(shape).on(device, MathMode.STRICT, 1);
          TrainingRun run =
              Trainer.of(network)
                  .on(device)
                  .optimizer(optimizer)
                  .batch(shape.batch())
                  .start(digits, null)) {
        for (int i = 0; i < STEPS; i++) {
          run.step();
        }
        peak = device.memory().peak();
      }
      long formula = formula(shape, optimizer);
      return new Row(
          shape.toString(),
          optimizer.spec(),
          formula,
          peak,
          peak / (double) formula - 1,
          device.memory().live());
    }
  }

  private static long formula(MlpShape shape, Optimizer optimizer) {
    long parameters = shape.parameters() * Float.BYTES * (2 + optimizer.statePerParameter());
    // pixels, a label and a place in the order of examples for each
    long data = (long) MlpShape.EXAMPLES * (MlpShape.INPUTS + 2 * Integer.BYTES);
    long row = MlpShape.INPUTS + 2L * shape.hidden() + MlpShape.CLASSES;
    return parameters + data + shape.batch() * row * Float.BYTES;
  }
}
