// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.RowType;
import dev.weft.Tensor;
import java.util.List;
import java.util.Map;

/**
 * A differentiable function of the columns of a batch, made of operations, with parameters of its
 * own and of the models that it is made of. Models nest; one that stands in two places is the same
 * one there, with the same parameters.
 *
 * <p>A function of one tensor is a {@link Layer}. {@link Network} gives a model its memory, and
 * writes it to files.
 */
public interface Model {

  /**
   * Applies it to a batch, whose tensors have one axis more than {@link #output} was told of, the
   * first.
   *
   * @throws IllegalArgumentException in the model's words, where the batch does not fit
   */
  Tensor forward(Operations operations, Inputs<Tensor> inputs);

  /**
   * What a row of its output is. It takes the same inputs as {@link #forward} will: from this is
   * known, before the first step, which columns of the data the model needs.
   *
   * @throws IllegalArgumentException in the model's words, where a row does not fit
   */
  RowType output(Inputs<RowType> inputs);

  /** Its own parameters, in a fixed order; those of its {@link #children} are not among them. */
  default List<Parameter> parameters() {
    return List.of();
  }

  /** The integers that it reads on the device, beside its parameters. */
  default List<Constant> constants() {
    return List.of();
  }

  /**
   * The models that it is made of, by name; in the whole they come with the shortest names first,
   * and those of one length as the alphabet has them. A parameter's name in the whole is the names
   * of all that hold it and its own, joined by dots: {@code hidden.weight}.
   */
  default Map<String, Model> children() {
    return Map.of();
  }

  /**
   * All that decides what it computes, but its children and the values of its parameters: numbers,
   * texts and truth values by name. From these {@link Layers#register} makes it again.
   */
  default Map<String, Object> settings() {
    return Map.of();
  }

  /**
   * How it is written in profiles, and where the command reads it, there: {@code linear(784,512)}.
   */
  default String spec() {
    return getClass().getSimpleName();
  }
}
