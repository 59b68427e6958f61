// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;

/**
 * What is measured beside the loss while a network is trained or evaluated: numbers for each row of
 * a batch, whose sums are kept on the device, and what is read from the sums. One of your own is
 * made of operations:
 *
 * <pre>{@code
 * record RootMeanSquaredError() implements Metric {
 *   public String name() {
 *     return "root_mean_squared_error";
 *   }
 *
 *   public Tensor values(Operations o, Tensor output, Inputs<Tensor> data) {
 *     Tensor targets = data.get(Inputs.TARGETS);
 *     return o.mean(o.square(o.subtract(o.wide(output), o.wide(targets))), 1);
 *   }
 *
 *   public double of(double[] sums, long rows) {
 *     return Math.sqrt(sums[0] / rows);
 *   }
 * }
 * }</pre>
 *
 * <p>{@link #values} runs once, while a step is recorded, and its operations are replayed in every
 * step; for the last batch of an epoch, which may have fewer rows, they are recorded again. So no
 * value can be read in it ({@link Tensor#item}, {@link Tensor#toFloats}), no tensor uploaded and no
 * ids cast. A constant is a tensor that was made before and given to the metric, of the wide type
 * of what the network computes in.
 */
public interface Metric {

  /** What it is called in histories, in messages and by early stopping. */
  String name();

  /**
   * Checks that outputs and columns are what it measures; it takes the same columns as {@link
   * #values} will, by which is known which ones it needs. Until told otherwise that is {@link
   * Inputs#TARGETS}, whatever they are.
   *
   * @param output a row of what the model gives
   * @throws IllegalArgumentException in its own words, where they are not
   */
  default void check(RowType output, Inputs<RowType> data) {
    data.get(Inputs.TARGETS);
  }

  /** How many numbers it adds up for each row: 1 until told otherwise. */
  default int sums() {
    return 1;
  }

  /**
   * The numbers of each row; no gradient is taken of them.
   *
   * @param output what the model gave, (rows, ...)
   * @param data the columns of the batch
   * @return (rows), or (rows, {@link #sums}), of the wide type of the output
   */
  Tensor values(Operations operations, Tensor output, Inputs<Tensor> data);

  /**
   * What it is, from the sums over all rows: of one sum its mean until told otherwise.
   *
   * @throws IllegalStateException where there are several sums, and this was not told otherwise
   */
  default double of(double[] sums, long rows) {
    if (sums.length != 1) {
      throw new IllegalStateException(
          format(
              "the metric %s has %d sums and no of(sums, rows): write that method, which says what"
                  + " the metric is",
              name(), sums.length));
    }
    return sums[0] / rows;
  }
}
