// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.RowType;
import dev.weft.Tensor;
import java.util.List;
import java.util.Map;

/**
 * Maxout (Goodfellow et al. 2013): y = max(x W₁ + b₁, x W₂ + b₂, ...), element by element; x (rows,
 * ..., in), y (rows, ..., out). The weight (in, pieces out) holds W₁, W₂ and so on side by side.
 * Each starts by Xavier's uniform rule, biases zero.
 */
public final class Maxout implements Layer {
  private final Linear linear;
  private final int out;
  private final int pieces;

  /**
   * The largest of so many linear functions.
   *
   * @throws IllegalArgumentException where a size or the number of pieces is not positive
   */
  public Maxout(int in, int out, int pieces) {
    if (in < 1 || out < 1 || pieces < 1 || (long) out * pieces > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          format("Maxout(%d, %d, %d): sizes and pieces must be positive", in, out, pieces));
    }
    double bound = Math.sqrt(6.0 / (in + (double) out)); // of one piece, not of all side by side
    linear = new Linear(in, out * pieces, Initializers.uniform(-bound, bound), Linear.Bias.WITH);
    this.out = out;
    this.pieces = pieces;
  }

  @Override
  public Tensor forward(Operations operations, Tensor x) {
    if (x.shape().rank() < 2 || x.shape().size(-1) != linear.in()) {
      throw new IllegalArgumentException(format("%s got x of shape %s", this, x.shape()));
    }
    return operations.maxout(linear.forward(operations, x), pieces);
  }

  @Override
  public List<Parameter> parameters() {
    return linear.parameters();
  }

  /** The size of the last axis that it takes. */
  long in() {
    return linear.in();
  }

  @Override
  public RowType output(RowType input) {
    LastAxis.check(this, input, linear.in());
    return input.with(input.shape().with(-1, out));
  }

  @Override
  public Map<String, Object> settings() {
    return Map.of("in", linear.in(), "out", out, "pieces", pieces);
  }

  @Override
  public String spec() {
    return format("maxout(%d,%d,%d)", linear.in(), out, pieces);
  }

  @Override
  public String toString() {
    return format("Maxout(%d, %d, %d)", linear.in(), out, pieces);
  }
}
