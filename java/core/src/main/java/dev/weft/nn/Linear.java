// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.Parameter.Initializer;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.op.BiasActivation;
import dev.weft.op.MatMul;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * y = x W + b; x (rows, ..., in), W (in, out), b (out), y (rows, ..., out). An activation that
 * follows it in a {@link Sequential} is computed together with the bias.
 */
public final class Linear implements Layer {

  /** Whether a layer has a bias. */
  public enum Bias {
    /** y = x w + b. */
    WITH,
    /** y = x w. */
    WITHOUT
  }

  private final int in;
  private final int out;
  private final Parameter weight;
  private final @Nullable Parameter bias;

  /** Weights by Xavier's uniform rule, biases zero. */
  public Linear(int in, int out) {
    this(in, out, Initializers.xavierUniform(), Bias.WITH);
  }

  /**
   * Weights by the given rule, biases zero.
   *
   * @throws IllegalArgumentException where a size is not positive
   */
  public Linear(int in, int out, Initializer weights, Bias bias) {
    if (in < 1 || out < 1) {
      throw new IllegalArgumentException(format("Linear(%d, %d): sizes must be positive", in, out));
    }
    this.in = in;
    this.out = out;
    this.weight = new Parameter("weight", Shape.of(in, out), weights);
    this.bias =
        bias == Bias.WITH ? new Parameter("bias", Shape.of(out), Initializers.zeros()) : null;
  }

  @Override
  public Tensor forward(Operations operations, Tensor x) {
    return forward(operations, x, Stage.NONE);
  }

  /** f(x W + b), bias and activation in one pass over the product. */
  Tensor forward(Operations operations, Tensor x, Activation activation) {
    Shape shape = x.shape();
    if (shape.rank() < 2 || shape.size(-1) != in) {
      throw new IllegalArgumentException(format("%s got x of shape %s", this, shape));
    }
    if (shape.rank() > 2) {
      Tensor flat = operations.reshape(x, shape.elements() / in, in);
      Tensor y = forward(operations, flat, activation);
      return operations.reshape(y, shape.with(-1, out).toArray());
    }
    Tensor product = operations.apply(new MatMul(), x, weight.tensor());
    // the product is seen by nobody else, so it may be overwritten
    var inPlace =
        new BiasActivation(
            activation.nonlinearity(), activation.alpha(), BiasActivation.Memory.IN_PLACE);
    if (bias != null) {
      return operations.apply(inPlace, product, bias.tensor());
    }
    return activation == Stage.NONE ? product : operations.apply(inPlace, product);
  }

  @Override
  public List<Parameter> parameters() {
    return bias == null ? List.of(weight) : List.of(weight, bias);
  }

  /** W. */
  public Parameter weight() {
    return weight;
  }

  /** b, or null where there is none. */
  public @Nullable Parameter bias() {
    return bias;
  }

  /** The number of input features. */
  public int in() {
    return in;
  }

  /** The number of output features. */
  public int out() {
    return out;
  }

  @Override
  public RowType output(RowType input) {
    LastAxis.check(this, input, in);
    return input.with(input.shape().with(-1, out));
  }

  @Override
  public Map<String, Object> settings() {
    return Map.of(
        "in",
        in,
        "out",
        out,
        "bias",
        bias != null,
        "initializer",
        Initializers.text(weight.initializer()));
  }

  @Override
  public String spec() {
    return format("linear(%d,%d%s)", in, out, bias == null ? ",no_bias" : "");
  }

  @Override
  public String toString() {
    return format("Linear(%d, %d)", in, out);
  }
}
