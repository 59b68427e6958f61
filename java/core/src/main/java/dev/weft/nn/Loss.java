// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;
import dev.weft.data.Column;
import java.util.Map;
import java.util.function.Function;

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

  /**
   * Checks the values of the columns that the loss asks for, once, before the first step, as a
   * device cannot tell of what is wrong.
   *
   * @param columns gives a column of the data set by its name
   * @throws IllegalArgumentException that says which row is wrong, where one is
   */
  default void checkValues(RowType output, Function<String, Column> columns) {}

  /**
   * Vectors that are the same for all batches, by name: a trainer puts them on the device once, and
   * {@link #apply} finds them among the columns of a batch, of the wide type of what the network
   * computes in. In a loop by hand the losses of this package upload what is not among them in
   * every pass; whoever spares that gives them. None until told otherwise.
   *
   * @param output a row of what the model gives
   */
  default Map<String, double[]> constants(RowType output) {
    return Map.of();
  }

  /**
   * Whether {@link #apply} gives a mean by weights that differ from row to row, so that a batch
   * counts by {@link #sumOfWeights} and not by its rows.
   */
  default boolean isWeighted() {
    return false;
  }

  /**
   * The sum of the weights of a batch's rows, a scalar of the wide type, for a loss that {@link
   * #isWeighted}.
   *
   * @param output what the model gave, (rows, ...)
   * @param data the columns of the batch
   */
  default Tensor sumOfWeights(Operations operations, Tensor output, Inputs<Tensor> data) {
    throw new IllegalStateException(
        format(
            "the loss %s is a mean by weights of rows, as its isWeighted() says, and has no"
                + " sumOfWeights(operations, output, data): write that method, which gives the sum"
                + " of the weights of a batch's rows",
            spec()));
  }

  /** Its name in files and on the command line. */
  default String spec() {
    return getClass().getSimpleName();
  }
}
