// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.Tensor;
import dev.weft.device.Closing;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The running values of a network's batch norms, found anew by a pass over data in training mode:
 * mean and variance of a column are the means of those of all batches (as PyTorch's {@code
 * update_bn}). For weights that no batch has been trained with, such as averaged ones.
 */
public final class BatchStatistics implements AutoCloseable {
  private final List<BatchNorm> norms;
  private final Map<Parameter, Tensor> sums = new IdentityHashMap<>();
  private final Map<BatchNorm, Integer> uses = new IdentityHashMap<>(); // in a forward pass

  /**
   * Takes memory for the sums.
   *
   * @throws IllegalStateException where the network is on no device
   */
  public BatchStatistics(Network network) {
    norms =
        ModelTree.all(network.model()).stream()
            .filter(BatchNorm.class::isInstance)
            .map(BatchNorm.class::cast)
            .toList();
    try {
      for (BatchNorm norm : norms) {
        for (Parameter each : norm.running()) {
          Tensor values = network.arena().values(each);
          Tensor sum = values.device().zeros(values.dtype(), values.shape());
          sums.put(each, sum.named("sum of " + each.name()));
        }
      }
    } catch (RuntimeException e) {
      Closing.after(e, this::close);
      throw e;
    }
  }

  /** Whether the network has no batch norm. */
  public boolean isEmpty() {
    return norms.isEmpty();
  }

  /**
   * Runs, or records, a forward pass over a batch, in training mode; it adds up what batch norms
   * measure, and leaves that of this batch as running values.
   */
  public void adding(Runnable forward) {
    uses.clear();
    norms.forEach(norm -> norm.addTo(this));
    try {
      forward.run();
    } finally {
      norms.forEach(norm -> norm.addTo(null));
    }
  }

  void add(Operations operations, BatchNorm norm) {
    uses.merge(norm, 1, Integer::sum);
    for (Parameter each : norm.running()) {
      Tensor sum = Objects.requireNonNull(sums.get(each), each::name);
      operations.assign(sum, operations.add(sum, each.tensor()));
    }
  }

  /** Begins anew, with no batch. */
  public void clear() {
    sums.values().forEach(sum -> sum.fill(0));
  }

  /** Gives batch norms the means over so many batches as running values. */
  public void finish(int batches) {
    for (BatchNorm norm : norms) {
      double count = (double) batches * uses.getOrDefault(norm, 0);
      for (Parameter each : norm.running()) {
        if (count > 0) { // else the network does not use it
          double[] sum = Objects.requireNonNull(sums.get(each), each::name).toDoubles();
          each.tensor().copyFrom(Arrays.stream(sum).map(s -> s / count).toArray());
        }
      }
    }
  }

  @Override
  public void close() {
    sums.values().forEach(sum -> sum.device().checkMayClose());
    Closing.all(sums.values().toArray(Tensor[]::new));
  }
}
