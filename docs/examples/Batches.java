// SPDX-License-Identifier: Apache-2.0
// training: weft examples run batches
import dev.weft.data.BatchOrder;
import dev.weft.data.LastBatch;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Mini-batches: ten samples in threes, what is left over dropped, a new order each epoch (lecture
 * 4).
 */
public class Batches {
  public static void main(String[] args) {
    int k = 3;
    var order = new BatchOrder(10, k, LastBatch.DROP, 1); // as Trainer.lastBatch(DROP) has it
    for (int epoch = 0; epoch < 4; epoch++) {
      int[] samples = order.epoch(epoch).toArray(ValueLayout.JAVA_INT);
      System.out.printf("epoch %d, order %s%n", epoch, Arrays.toString(samples));
      for (int batch = 0; batch < order.batches(); batch++) {
        int[] rows = Arrays.copyOfRange(samples, batch * k, batch * k + k);
        System.out.println("  a step over " + Arrays.toString(rows));
      }
    }
  }
}
