// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.nn.Embedding;
import dev.weft.nn.Flatten;
import dev.weft.nn.Initializers;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.optim.Adam;
import dev.weft.support.OnEachDevice;
import java.util.Arrays;

/** What a recorded step moves that looks up rows of a table. */
class TableStepTest {
  private static final int IDS = 30;
  private static final int LENGTH = 3;

  private static Dataset data() {
    int[] ids = new int[100];
    Arrays.setAll(ids, i -> i * i % IDS);
    Column tokens = Column.ids(ids, IDS);
    return Dataset.of(
        tokens.window(LENGTH).slice(0, ids.length - LENGTH), tokens.slice(LENGTH, ids.length));
  }

  /** Bytes that the calls of a step move, as the contract counts them. */
  private static long bytes(
      Device device, MathMode math, int vocabulary, Embedding.Gradient gradient) {
    try (Sequential network =
            Sequential.of(
                new Embedding(vocabulary, 16, Initializers.normal(0, 1), gradient),
                new Flatten(),
                new Linear(LENGTH * 16, IDS));
        TrainingRun run = Trainer.of(network).on(device).math(math).batch(32).start(data())) {
      run.step();
      assertTrue(Double.isFinite(run.loss()));
      return run.first().calls().stream().mapToLong(call -> call.cost().bytes()).sum();
    }
  }

  /** A table of a thousand times the rows costs a step nothing, unless its gradient is dense. */
  @OnEachDevice
  void aStepTouchesTheRowsThatItUses(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      for (MathMode math : MathMode.values()) {
        long small = bytes(device, math, IDS, Embedding.Gradient.ROWS);
        assertEquals(small, bytes(device, math, 1000 * IDS, Embedding.Gradient.ROWS));
        long dense = bytes(device, math, 1000 * IDS, Embedding.Gradient.DENSE);
        assertTrue(dense > 10 * small, small + " and " + dense);
      }
    }
  }

  /** Decay, which a dense table has everywhere, leaves alone what a table of rows did not use. */
  @OnEachDevice
  void rowsThatAreNotUsedKeepTheirBits(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      for (Embedding.Gradient gradient : Embedding.Gradient.values()) {
        try (Sequential network =
            Sequential.of(
                new Embedding(2 * IDS, 16, Initializers.normal(0, 1), gradient),
                new Flatten(),
                new Linear(LENGTH * 16, IDS))) {
          network.on(device);
          float[] before = network.named().get("0.table").tensor().toFloats();
          Trainer.of(network)
              .on(device)
              .optimizer(Adam.rate(0.1).weightDecay(0.5))
              .batch(32)
              .fit(data(), 2);
          float[] after = network.named().get("0.table").tensor().toFloats();
          boolean kept =
              Arrays.mismatch(before, IDS * 16, 2 * IDS * 16, after, IDS * 16, 2 * IDS * 16) < 0;
          assertEquals(gradient == Embedding.Gradient.ROWS, kept, gradient.name());
        }
      }
    }
  }
}
