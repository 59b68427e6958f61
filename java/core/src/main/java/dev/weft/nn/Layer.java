// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.Tensor;
import java.util.List;

/** A function of a batch with parameters of its own. Batches have shape [rows, features]. */
public interface Layer {

  /**
   * Applies it to a batch.
   *
   * @throws IllegalArgumentException in the layer's words, where the batch does not fit
   */
  Tensor forward(Operations operations, Tensor x);

  /** Its parameters, in a fixed order. */
  List<Parameter> parameters();

  /**
   * The number of output features for a number of input features.
   *
   * @throws IllegalArgumentException in the layer's words, where it does not take that many
   */
  int outputFeatures(int inputFeatures);

  /** How it is written in files and on the command line, such as {@code linear(784,512)}. */
  String spec();
}
