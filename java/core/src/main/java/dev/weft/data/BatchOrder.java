// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import static dev.weft.format.Format.format;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * The order in which an epoch visits the examples, and how it is cut into batches.
 *
 * <p>The order of epoch e is Fisher and Yates' shuffle by SplitMix64 on stream e of the seed: a
 * pure function of (examples, seed, e), the same on every machine, so that training can resume
 * anywhere. Batch b of an epoch is entries b * batch up to b * batch + {@link #rowsIn rowsIn(b)} of
 * the order.
 */
public final class BatchOrder {
  private final int examples;
  private final int batch;
  private final LastBatch last;
  private final long seed;

  /**
   * An order; a batch that is larger than the data is all of them.
   *
   * @throws IllegalArgumentException if a size is not positive, or if a batch is larger than the
   *     data and what fills none is dropped
   */
  public BatchOrder(int examples, int batch, LastBatch last, long seed) {
    if (examples < 1 || batch < 1) {
      throw new IllegalArgumentException(
          format("examples and batch must be at least 1, got %d and %d", examples, batch));
    }
    if (batch > examples && last == LastBatch.DROP) {
      throw new IllegalArgumentException(
          format(
              "a batch of %d is larger than the data, %d examples, and with what fills none dropped"
                  + " no batch is left: make it smaller, or keep the last one",
              batch, examples));
    }
    this.examples = examples;
    this.batch = batch;
    this.last = Objects.requireNonNull(last);
    this.seed = seed;
  }

  /** The number of examples there are, whether an epoch visits all of them or not. */
  public int examples() {
    return examples;
  }

  /** The number of batches in an epoch. */
  public int batches() {
    return examples / batch + (last == LastBatch.KEEP && examples % batch > 0 ? 1 : 0);
  }

  /** The number of rows in batch {@code index} of an epoch: all are full but perhaps the last. */
  public int rowsIn(int index) {
    Objects.checkIndex(index, batches());
    return Math.min(batch, examples - index * batch);
  }

  /** The number of examples that an epoch visits. */
  public int rows() {
    return last == LastBatch.KEEP ? examples : examples / batch * batch;
  }

  /** The order of an epoch (from 0), (rows) int32 indices of examples, none of them twice. */
  public MemorySegment epoch(long epoch) {
    MemorySegment order = Arena.ofAuto().allocate(rows() * 4L, 64);
    epoch(epoch, order);
    return order;
  }

  /** Writes the order of an epoch to the first {@link #rows} int32 of {@code order}. */
  public void epoch(long epoch, MemorySegment order) {
    if (epoch < 0) {
      throw new IllegalArgumentException("epochs count from 0, got " + epoch);
    }
    if (order.byteSize() < rows() * 4L) {
      throw new IllegalArgumentException(
          format(
              "an order of %d rows needs %d bytes, got %d", rows(), rows() * 4L, order.byteSize()));
    }
    SplitMix64 random = new SplitMix64(seed, epoch);
    if (rows() < examples) {
      int[] indices = permutation(examples, random);
      MemorySegment.copy(indices, 0, order, ValueLayout.JAVA_INT, 0, rows());
      return;
    }
    // as permutation does, in place: a long run makes no garbage
    for (int i = 0; i < examples; i++) {
      int j = random.nextInt(i + 1);
      order.setAtIndex(ValueLayout.JAVA_INT, i, order.getAtIndex(ValueLayout.JAVA_INT, j));
      order.setAtIndex(ValueLayout.JAVA_INT, j, i);
    }
  }

  /** 0..n-1 in an order of which all n! are equally likely. */
  static int[] permutation(int n, SplitMix64 random) {
    int[] order = new int[n];
    for (int i = 0; i < n; i++) {
      int j = random.nextInt(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }
}
