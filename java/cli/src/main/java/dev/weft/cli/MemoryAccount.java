// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Inputs;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.data.Dataset;
import dev.weft.data.Storage;
import dev.weft.nn.Sequential;
import dev.weft.nn.Stage;
import dev.weft.optim.Optimizer;
import java.util.List;

/**
 * The device memory that training needs by its formula: parameters x (value + gradient + state, and
 * the best epoch's value, and the average) + data + one batch of activations + the widest gradient
 * of hidden values, which lives beside them on the way back. What a linear layer passes to an
 * activation has no memory of its own.
 */
final class MemoryAccount {
  private static final int LABEL_AND_PLACE_IN_ORDER = 8;

  private final long parameters;
  private final long data;
  private final long activations;
  private final long gradient;

  /**
   * Adds up.
   *
   * @param copies how many more copies of the parameters are kept: the best epoch's, an average
   */
  MemoryAccount(
      Sequential network,
      Optimizer optimizer,
      DType dtype,
      int batch,
      Dataset train,
      Dataset test,
      long mostForData,
      int copies) {
    long copy = dtype == dtype.wide() ? 0 : dtype.bytes();
    long state = 2 + optimizer.memory().size() + copies;
    parameters = network.size() * (dtype.wide().bytes() * state + copy);
    data = Math.min(bytes(train, dtype), mostForData) + Math.min(bytes(test, dtype), mostForData);
    RowType row = RowType.floating(Shape.of(train.features().width()));
    long values = row.shape().elements();
    long widest = 0;
    List<Stage> stages = network.stages();
    for (Stage stage : stages) {
      row = stage.model().output(Inputs.of(row));
      values += row.shape().elements();
      widest = stage == stages.getLast() ? widest : Math.max(widest, row.shape().elements());
    }
    activations = values * batch * dtype.bytes();
    gradient = widest * batch * dtype.bytes();
  }

  private static long bytes(Dataset set, DType dtype) {
    long each = set.features().storage() == Storage.UINT8 ? 1 : dtype.wide().bytes();
    return set.rows() * (each * set.features().width() + LABEL_AND_PLACE_IN_ORDER);
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
