// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;

/**
 * The loss that training minimises: a scalar from a batch of outputs and the columns that it asks
 * for.
 *
 * <p>{@link #apply} runs once, while a step is recorded, and its operations are replayed in every
 * step; for the last batch of an epoch, which may have fewer rows, they are recorded again. So no
 * value can be read in it ({@link Tensor#item}, {@link Tensor#toFloats}), no tensor uploaded and no
 * ids cast. A constant is a tensor that was made before and given to the loss, of the wide type of
 * what the network computes in, which the result has too.
 */
public interface Loss {

  /**
   * Checks that outputs and columns are what the loss compares. It takes the same columns as {@link
   * #apply} will: from this is known, before the first step, which ones it needs.
   *
   * @param output a row of what the model gives
   * @throws IllegalArgumentException in its own words, where they are not
   */
  void check(RowType output, Inputs<RowType> data);

  /**
   * The loss of a batch.
   *
   * @param output what the model gave, (rows, ...)
   * @param data the columns of the batch
   */
  Tensor apply(Operations operations, Tensor output, Inputs<Tensor> data);

  /**
   * What metrics measure of a batch's output: the output itself, but for a loss that reads more out
   * of it than the model does, as {@link HierarchicalSoftmax} in training.
   */
  default Tensor predictions(Operations operations, Tensor output) {
    return output;
  }

  /**
   * The factor that makes a sum over rows of what {@link #apply} gave: {@code rows} for a loss that
   * is a mean over rows, as is taken for granted, 1 for one that is a sum.
   */
  default double weight(long rows) {
    return rows;
  }

  /** Its name in files and on the command line. */
  default String spec() {
    return getClass().getSimpleName();
  }
}
