// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Nonlinearity;
import dev.weft.op.BiasActivation;
import dev.weft.op.MatMul;
import java.util.List;
import java.util.Map;

/**
 * y = x Eᵀ + b: scores of all words by the very table E (vocabulary, width) that an embedding looks
 * them up in (Press and Wolf 2017); x (rows, width), b (vocabulary), at first 0, y (rows,
 * vocabulary).
 */
public final class TiedLinear implements Layer {
  private final Embedding embedding;
  private final Parameter bias;

  /**
   * Shares the table of an embedding.
   *
   * @throws IllegalArgumentException where the table's gradient is its rows: a product needs {@link
   *     Embedding.Gradient#DENSE}
   */
  public TiedLinear(Embedding embedding) {
    if (embedding.table().kind() == Parameter.Kind.ROWS) {
      throw new IllegalArgumentException(
          format(
              "TiedLinear changes the whole table of %s, whose gradient is rows: make it"
                  + " Embedding.Gradient.DENSE",
              embedding));
    }
    this.embedding = embedding;
    bias = new Parameter("bias", Shape.of(vocabulary()), Initializers.zeros());
  }

  private long vocabulary() {
    return embedding.table().shape().size(0);
  }

  @Override
  public Tensor forward(Operations operations, Tensor x) {
    if (x.shape().rank() != 2 || x.shape().size(1) != embedding.table().shape().size(1)) {
      throw new IllegalArgumentException(format("%s got x of shape %s", this, x.shape()));
    }
    var matmul = new MatMul(MatMul.Form.PLAIN, MatMul.Form.TRANSPOSED);
    Tensor product = operations.apply(matmul, x, embedding.table().tensor());
    // the product is seen by nobody else, so it may be overwritten
    var addBias = new BiasActivation(Nonlinearity.IDENTITY, 0, BiasActivation.Memory.IN_PLACE);
    return operations.apply(addBias, product, bias.tensor());
  }

  @Override
  public RowType output(RowType input) {
    LastAxis.check(this, input, embedding.table().shape().size(1));
    if (input.shape().rank() != 1) {
      throw new IllegalArgumentException(format("%s takes a vector a row and got %s", this, input));
    }
    return input.with(Shape.of(vocabulary()));
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(bias);
  }

  @Override
  public Map<String, Model> children() {
    return Map.of("embedding", embedding);
  }

  @Override
  public String spec() {
    return format("tied_linear(%s)", embedding.spec());
  }

  @Override
  public String toString() {
    return format("TiedLinear(%s)", embedding);
  }
}
