// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;

/** A model of one input: the output of the layer before it, or the column of features. */
public interface Layer extends Model {

  /**
   * Applies it to a batch (rows, ...).
   *
   * @throws IllegalArgumentException in the layer's words, where the batch does not fit
   */
  Tensor forward(Operations operations, Tensor x);

  /**
   * What a row of its output is.
   *
   * @throws IllegalArgumentException in the layer's words, where a row does not fit
   */
  RowType output(RowType input);

  @Override
  default Tensor forward(Operations operations, Inputs<Tensor> inputs) {
    return forward(operations, inputs.features());
  }

  @Override
  default RowType output(Inputs<RowType> inputs) {
    return output(inputs.features());
  }
}
