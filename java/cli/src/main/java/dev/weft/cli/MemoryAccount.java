// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.data.Dataset;
import dev.weft.data.Storage;
import dev.weft.nn.Activation;
import dev.weft.nn.Layer;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.optim.Optimizer;
import java.util.List;

/**
 * The device memory that training needs by its formula: parameters x (value + gradient + state) +
 * data + one batch of activations + the widest gradient of hidden values, which lives beside them
 * on the way back. What a linear layer passes to an activation has no memory of its own.
 */
final class MemoryAccount {
  private static final int LABEL_AND_PLACE_IN_ORDER = 8;

  private final long parameters;
  private final long data;
  private final long activations;
  private final long gradient;

  MemoryAccount(
      Sequential network,
      Optimizer optimizer,
      DType dtype,
      int batch,
      Dataset train,
      Dataset test,
      long mostForData) {
    long copy = dtype == dtype.wide() ? 0 : dtype.bytes();
    long state = 2 + optimizer.statePerParameter();
    parameters = network.size() * (dtype.wide().bytes() * state + copy);
    data = Math.min(bytes(train, dtype), mostForData) + Math.min(bytes(test, dtype), mostForData);
    int features = train.columns();
    long values = features;
    int widest = 0;
    List<Layer> layers = network.layers();
    for (int i = 0; i < layers.size(); i++) {
      features = layers.get(i).outputFeatures(features);
      boolean inPlace =
          i > 0 && layers.get(i) instanceof Activation && layers.get(i - 1) instanceof Linear;
      values += inPlace ? 0 : features;
      widest = i < layers.size() - 1 ? Math.max(widest, features) : widest;
    }
    activations = values * batch * dtype.bytes();
    gradient = (long) widest * batch * dtype.bytes();
  }

  private static long bytes(Dataset set, DType dtype) {
    long each = set.features().storage() == Storage.UINT8 ? 1 : dtype.wide().bytes();
    return set.rows() * (each * set.columns() + LABEL_AND_PLACE_IN_ORDER);
  }

  /** All of it. */
  long total() {
    return parameters + data + activations + gradient;
  }

  /** What was used beside what the formula gives. */
  String compared(long peak) {
    return format(
        "%s on the device at most; by formula %s (parameters %s, data %s, activations %s, a"
            + " gradient of them %s)",
        Amount.bytes(peak),
        Amount.bytes(total()),
        Amount.bytes(parameters),
        Amount.bytes(data),
        Amount.bytes(activations),
        Amount.bytes(gradient));
  }
}
