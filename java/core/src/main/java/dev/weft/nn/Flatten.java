// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tensor;

/** Rows of any shape as vectors: x (rows, a, b, ...), y (rows, a b ...); nothing is copied. */
public record Flatten() implements Layer {
  @Override
  public Tensor forward(Operations operations, Tensor x) {
    long rows = x.shape().size(0);
    return operations.reshape(x, rows, x.shape().elements(1, x.shape().rank()));
  }

  @Override
  public RowType output(RowType input) {
    return input.with(Shape.of(input.shape().elements()));
  }

  @Override
  public String spec() {
    return "flatten";
  }
}
