// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.Parameter.Initializer;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tensor;
import java.util.List;
import java.util.Map;

/**
 * Maxout (Goodfellow et al. 2013): y = max(x W₁ + b₁, x W₂ + b₂, ...), element by element; x (rows,
 * ..., in), y (rows, ..., out). The weight (in, pieces out) holds W₁, W₂ and so on side by side.
 * Each of them starts by a rule of its own, as a weight (in, out); biases start at 0.
 */
public final class Maxout implements Layer {
  private static final long SEEDS_APART = 0x9E3779B97F4A7C15L; // 2^64 / golden ratio

  private final Linear linear;
  private final int out;
  private final int pieces;
  private final Initializer weights;

  /** The largest of so many linear functions, whose weights start by Xavier's uniform rule. */
  public Maxout(int in, int out, int pieces) {
    this(in, out, pieces, Initializers.xavierUniform());
  }

  /**
   * The largest of so many linear functions, the weight (in, out) of each by the given rule.
   *
   * @throws IllegalArgumentException where a size or the number of pieces is not positive
   */
  public Maxout(int in, int out, int pieces, Initializer weights) {
    if (in < 1 || out < 1 || pieces < 1 || (long) out * pieces > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          format("Maxout(%d, %d, %d): sizes and pieces must be positive", in, out, pieces));
    }
    linear = new Linear(in, out * pieces, this::fill, Linear.Bias.WITH);
    this.weights = weights;
    this.out = out;
    this.pieces = pieces;
  }

  /** Draws piece after piece, the first as the weight of a linear layer, each by its own seed. */
  private void fill(Tensor tensor, long seed, long draw) {
    double[] all = new double[Math.toIntExact(tensor.elements())];
    try (Tensor one = tensor.device().allocate(tensor.dtype(), Shape.of(linear.in(), out))) {
      for (int piece = 0; piece < pieces; piece++) {
        weights.fill(one, seed ^ piece * SEEDS_APART, draw);
        double[] values = one.toDoubles();
        for (int i = 0; i < values.length; i++) {
          all[(i / out * pieces + piece) * out + i % out] = values[i];
        }
      }
    }
    tensor.copyFrom(all);
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
    String rule = Initializers.text(weights);
    return Map.of("in", linear.in(), "out", out, "pieces", pieces, "initializer", rule);
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
