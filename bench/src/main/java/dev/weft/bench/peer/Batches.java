// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.peer;

import dev.weft.data.BatchOrder;
import dev.weft.data.Dataset;
import dev.weft.data.LastBatch;
import dev.weft.data.Storage;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.BiConsumer;

/** The batches of Weft's first epoch, as arrays for the other sides. */
final class Batches {
  private Batches() {}

  /** Hands each batch over: features (batch, inputs) row by row, and labels (batch). */
  static void each(Mlp mlp, BiConsumer<float[], int[]> taker) {
    Dataset data = mlp.data();
    MemorySegment features = data.features().as(Storage.FLOAT32).data();
    int[] classes = data.targets().toInts();
    var order =
        new BatchOrder(data.rows(), mlp.batch(), LastBatch.KEEP, TrainingStep.SEED)
            .epoch(0)
            .toArray(ValueLayout.JAVA_INT);
    for (int start = 0; start < order.length; start += mlp.batch()) {
      float[] x = new float[mlp.batch() * mlp.inputs()];
      int[] labels = new int[mlp.batch()];
      for (int r = 0; r < mlp.batch(); r++) {
        long from = 4L * mlp.inputs() * order[start + r];
        int to = r * mlp.inputs();
        MemorySegment.copy(features, ValueLayout.JAVA_FLOAT, from, x, to, mlp.inputs());
        labels[r] = classes[order[start + r]];
      }
      taker.accept(x, labels);
    }
  }
}
