// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BatchOrderTest {
  @Test
  void tenSamplesInBatchesOfThreeGiveThreeBatchesAnEpochInANewOrderEachTime() {
    BatchOrder order = new BatchOrder(10, 3, LastBatch.DROP, 7);
    assertEquals(3, order.batches());
    assertEquals(9, order.rows());
    Set<String> orders = new HashSet<>();
    Set<Integer> everSeen = new HashSet<>();
    for (int epoch = 0; epoch < 20; epoch++) {
      int[] indices = indices(order, epoch);
      assertEquals(9, indices.length);
      assertEquals(9, Arrays.stream(indices).distinct().count(), "each sample at most once");
      assertTrue(Arrays.stream(indices).allMatch(i -> i >= 0 && i < 10));
      Arrays.stream(indices).forEach(everSeen::add);
      orders.add(Arrays.toString(indices));
    }
    assertEquals(20, orders.size(), "a new order each epoch");
    assertEquals(10, everSeen.size(), "what one epoch leaves out, another has");
    assertEquals(3, order.rowsIn(2));
    assertThrows(IndexOutOfBoundsException.class, () -> order.rowsIn(3));
  }

  @Test
  void keptLastBatchHoldsTheRest() {
    BatchOrder order = new BatchOrder(10, 3, LastBatch.KEEP, 7);
    assertEquals(4, order.batches());
    assertEquals(1, order.rowsIn(3));
    assertEquals(3, order.rowsIn(2));
    assertArrayEquals(
        IntStream.range(0, 10).toArray(), Arrays.stream(indices(order, 4)).sorted().toArray());
    for (LastBatch last : LastBatch.values()) {
      assertEquals(5, new BatchOrder(10, 2, last, 7).batches(), "nothing is left over");
      assertEquals(2, new BatchOrder(10, 2, last, 7).rowsIn(4));
    }
  }

  @Test
  void orderIsAFunctionOfSeedAndEpoch() {
    BatchOrder order = new BatchOrder(1000, 10, LastBatch.KEEP, 3);
    int[] fifth = indices(order, 5);
    indices(order, 6);
    assertArrayEquals(fifth, indices(new BatchOrder(1000, 32, LastBatch.KEEP, 3), 5));
    assertFalse(Arrays.equals(fifth, indices(new BatchOrder(1000, 10, LastBatch.KEEP, 4), 5)));
  }

  @Test
  void orderIsTheSameOnEveryMachine() {
    // From a program in another language (Python's whole numbers), by the documented generator.
    assertArrayEquals(
        new int[] {0, 4, 6, 7, 9, 3, 1, 8, 5, 2},
        indices(new BatchOrder(10, 5, LastBatch.KEEP, 7), 0));
  }

  @Test
  void everyPlaceIsAsLikelyForEveryExample() {
    int n = 6;
    int epochs = 36_000;
    int[][] counts = new int[n][n];
    BatchOrder order = new BatchOrder(n, 1, LastBatch.KEEP, 11);
    for (int epoch = 0; epoch < epochs; epoch++) {
      int[] indices = indices(order, epoch);
      for (int place = 0; place < n; place++) {
        counts[place][indices[place]]++;
      }
    }
    double expected = epochs / (double) n;
    double chiSquared =
        Arrays.stream(counts)
            .flatMapToInt(Arrays::stream)
            .mapToDouble(count -> (count - expected) * (count - expected) / expected)
            .sum();
    // 25 degrees of freedom: above 52.6 once in a thousand fair shuffles; the seed is fixed.
    assertTrue(chiSquared < 52.6, "chi squared " + chiSquared);
  }

  @Test
  void aBatchLargerThanTheDataIsAllOfThem() {
    for (int batch : new int[] {11, Integer.MAX_VALUE}) {
      BatchOrder order = new BatchOrder(10, batch, LastBatch.KEEP, 7);
      assertEquals(1, order.batches());
      assertEquals(10, order.rowsIn(0));
      assertEquals(10, order.rows());
      assertArrayEquals(indices(new BatchOrder(10, 10, LastBatch.KEEP, 7), 3), indices(order, 3));
    }
  }

  @Test
  void sizesThatMakeNoBatchAreAnError() {
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> new BatchOrder(10, 11, LastBatch.DROP, 1))
            .getMessage();
    assertEquals(
        "a batch of 11 is larger than the data, 10 examples, and with what fills none dropped no"
            + " batch is left: make it smaller, or keep the last one",
        message);
    assertThrows(IllegalArgumentException.class, () -> new BatchOrder(10, 0, LastBatch.KEEP, 1));
    assertThrows(IllegalArgumentException.class, () -> new BatchOrder(0, 1, LastBatch.KEEP, 1));
    BatchOrder order = new BatchOrder(10, 10, LastBatch.DROP, 1);
    assertEquals(1, order.batches());
    assertThrows(IllegalArgumentException.class, () -> order.epoch(-1));
    assertThrows(
        IllegalArgumentException.class, () -> order.epoch(0, MemorySegment.ofArray(new int[9])));
  }

  private static int[] indices(BatchOrder order, long epoch) {
    return order.epoch(epoch).toArray(ValueLayout.JAVA_INT);
  }
}
