// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.Tensor;
import dev.weft.op.LossReduction;

/** A loss whose rows may be weighted. */
interface WeightedLoss extends Loss {
  /** The column that outputs are compared with. */
  String target();

  /** How much rows count. */
  LossWeights weights();

  /** {@code MEAN} or {@code SUM}. */
  LossReduction reduction();

  /** The weights of the rows of a batch, where they differ. */
  default Tensor ofRows(Operations operations, Tensor output, Inputs<Tensor> data) {
    int classes = (int) output.shape().size(-1);
    return weights().ofRows(operations, classes, data.get(target()), data);
  }

  @Override
  default double weight(long rows) {
    return reduction() == LossReduction.SUM ? 1 : rows;
  }

  @Override
  default boolean isWeighted() {
    return reduction() == LossReduction.MEAN && !weights().isEqual();
  }

  @Override
  default Tensor weight(Operations operations, Tensor output, Inputs<Tensor> data) {
    return operations.sum(ofRows(operations, output, data));
  }
}
