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
 * A linear layer whose weights have their length apart from their direction (Salimans and Kingma
 * 2016): y = x W + b, column c of W being w_c = g_c v_c / |v_c|; x (rows, ..., in), v (in, out), g
 * (out), b (out), y (rows, ..., out). At first g_c = |v_c|, so that it begins as {@link Linear}
 * with the same weights.
 *
 * <p>|v_c| is √(Σ v² + 1e-12), so that a column of zeros has weights 0 and a finite gradient; both
 * are NaN in PyTorch's weight_norm.
 */
public final class WeightNormLinear implements Layer {
  private static final double EPSILON = 1e-12;

  private final int in;
  private final int out;
  private final Parameter direction;
  private final Parameter length;
  private final Parameter bias;

  /** Weights by Xavier's uniform rule, biases zero. */
  public WeightNormLinear(int in, int out) {
    this(in, out, Initializers.xavierUniform());
  }

  /**
   * Weights by the given rule, biases zero.
   *
   * @throws IllegalArgumentException where a size is not positive
   */
  public WeightNormLinear(int in, int out, Initializer weights) {
    if (in < 1 || out < 1) {
      throw new IllegalArgumentException(
          format("WeightNormLinear(%d, %d): sizes must be positive", in, out));
    }
    this.in = in;
    this.out = out;
    direction = new Parameter("direction", Shape.of(in, out), weights);
    // the parameter before it, drawn once more
    length =
        new Parameter(
            "length",
            Shape.of(out),
            (tensor, seed, draw) -> {
              try (Tensor v = tensor.device().allocate(tensor.dtype(), Shape.of(in, out))) {
                weights.fill(v, seed, draw - 1);
                tensor.copyFrom(lengths(v.toDoubles()));
              }
            });
    bias = new Parameter("bias", Shape.of(out), Initializers.zeros());
  }

  private double[] lengths(double[] values) {
    double[] lengths = new double[out];
    for (int i = 0; i < values.length; i++) {
      lengths[i % out] += values[i] * values[i];
    }
    for (int c = 0; c < out; c++) {
      lengths[c] = Math.sqrt(lengths[c]);
    }
    return lengths;
  }

  @Override
  public Tensor forward(Operations o, Tensor x) {
    Shape shape = x.shape();
    if (shape.rank() < 2 || shape.size(-1) != in) {
      throw new IllegalArgumentException(format("%s got x of shape %s", this, shape));
    }
    Tensor v = o.wide(direction.tensor());
    Tensor norms = o.sqrt(o.shift(o.sum(o.square(v), 0), EPSILON));
    Tensor factor = o.divide(o.wide(length.tensor()), norms);
    Tensor weight = o.cast(o.multiply(v, factor), x.dtype());
    Tensor flat = o.reshape(x, shape.elements() / in, in);
    Tensor y = o.add(o.matmul(flat, weight), bias.tensor());
    return o.reshape(y, shape.with(-1, out).toArray());
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(direction, length, bias);
  }

  /** The size of the last axis that it takes. */
  long in() {
    return direction.shape().size(0);
  }

  @Override
  public RowType output(RowType input) {
    LastAxis.check(this, input, in);
    return input.with(input.shape().with(-1, out));
  }

  @Override
  public Map<String, Object> settings() {
    return Map.of("in", in, "out", out, "initializer", Initializers.text(direction.initializer()));
  }

  @Override
  public String spec() {
    return format("weight_norm_linear(%d,%d)", in, out);
  }

  @Override
  public String toString() {
    return format("WeightNormLinear(%d, %d)", in, out);
  }
}
