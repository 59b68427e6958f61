// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;
import org.jspecify.annotations.Nullable;

/** What training minimises: a scalar from a batch of outputs and the columns that it asks for. */
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
   * @param hits where {@link #countsHits}: a tensor (rows) that receives 1 where the largest output
   *     is the label's, else 0; or null
   */
  Tensor apply(Operations operations, Tensor output, Inputs<Tensor> data, @Nullable Tensor hits);

  /** Whether it tells right answers from wrong ones, so that there is an accuracy. */
  default boolean countsHits() {
    return false;
  }

  /**
   * The factor that makes a sum over rows of what {@link #apply} gave: {@code rows} for a loss that
   * is a mean over rows, 1 for one that is a sum.
   */
  double weight(long rows);

  /** Its name in files and on the command line. */
  String spec();
}
