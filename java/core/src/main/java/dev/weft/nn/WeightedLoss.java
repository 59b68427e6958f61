// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.Shape;
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
    return weights().ofRows(operations, output, data.get(target()), data);
  }

  /**
   * One of the {@link #constants}: the tensor among the columns of a batch, where a trainer has put
   * it, else one of this pass alone.
   *
   * @param like has the wide type of the constant
   */
  static Tensor constant(
      Operations operations, Inputs<Tensor> data, String name, Tensor like, double... values) {
    if (data.has(name)) {
      return data.get(name);
    }
    Tensor made = operations.full(like.dtype().wide(), Shape.of(values.length), 0);
    try {
      made.copyFrom(values);
    } catch (IllegalStateException e) {
      throw new IllegalStateException(
          format(
              "a recorded step has no '%s' among its columns, and cannot upload them: a loss that"
                  + " is made of others gives their constants(output) as its own",
              name),
          e);
    }
    return made;
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
