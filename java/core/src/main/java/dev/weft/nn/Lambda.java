// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tensor;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;

/**
 * A function without parameters as a layer. It cannot be written to a file, since code cannot: a
 * class of one's own can, see {@link Layers#register}.
 */
public final class Lambda implements Layer {
  private final String name;
  private final BiFunction<Operations, Tensor, Tensor> function;
  private final UnaryOperator<Shape> shape;

  private Lambda(
      String name, BiFunction<Operations, Tensor, Tensor> function, UnaryOperator<Shape> shape) {
    this.name = name;
    this.function = function;
    this.shape = shape;
  }

  /** A function whose output has the shape of its input, {@code Operations::square} for one. */
  public static Lambda of(String name, BiFunction<Operations, Tensor, Tensor> function) {
    return of(name, function, UnaryOperator.identity());
  }

  /**
   * Any function.
   *
   * @param name how profiles and messages call it
   * @param shape the shape of a row of its output from that of its input
   */
  public static Lambda of(
      String name, BiFunction<Operations, Tensor, Tensor> function, UnaryOperator<Shape> shape) {
    return new Lambda(name, function, shape);
  }

  @Override
  public Tensor forward(Operations operations, Tensor x) {
    return function.apply(operations, x);
  }

  @Override
  public RowType output(RowType input) {
    if (input.padded()) {
      throw new IllegalArgumentException(
          format("%s is not told which of %s are none: make it a layer", name, input));
    }
    return RowType.floating(shape.apply(input.shape()));
  }

  @Override
  public String spec() {
    return name;
  }
}
