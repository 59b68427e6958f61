// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.Tensor;
import dev.weft.op.RowWeights;

/** A loss whose rows may be weighted. */
interface WeightedLoss extends Loss {
  /** The column that outputs are compared with. */
  String target();

  /** How much rows count. */
  LossWeights weights();

  /** What is made of the losses of rows. */
  Aggregation aggregation();

  /** The weights of the rows of a batch, where they differ. */
  default Tensor ofRows(Operations operations, Tensor output, Inputs<Tensor> data) {
    int classes = (int) output.shape().size(-1);
    return weights().ofRows(operations, classes, data.get(target()), data);
  }

  /** What rows are multiplied by: their weights, of a mean over the sum of those. */
  default Tensor factors(Operations operations, Tensor output, Inputs<Tensor> data) {
    Tensor ofRows = ofRows(operations, output, data);
    return aggregation() == Aggregation.SUM
        ? ofRows
        : RowWeights.shares(operations, ofRows, ofRows);
  }

  @Override
  default double weight(long rows) {
    return aggregation() == Aggregation.SUM ? 1 : rows;
  }

  @Override
  default boolean isWeighted() {
    return aggregation() == Aggregation.MEAN && !weights().isEqual();
  }

  @Override
  default Tensor sumOfWeights(Operations operations, Tensor output, Inputs<Tensor> data) {
    return operations.sum(ofRows(operations, output, data));
  }
}
