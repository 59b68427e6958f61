// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.Parameter.Initializer;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.BagFunction;
import dev.weft.op.EmbeddingBagOperation;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Sums or means of rows of a table by their numbers: y_r = Σ_i table[ids_ri], divided by how many
 * there are for a mean; ids (rows, length), -1 where a row has none, table (vocabulary, width), y
 * (rows, width), 0 for a row of none. {@code Column.padded} makes such ids. In a loop by hand bags
 * may be given by their offsets instead. An id outside the table gives NaN; data whose ids may be
 * that large are refused before.
 */
public final class EmbeddingBag implements Layer {
  private final Embedding embedding;
  private final BagFunction function;

  EmbeddingBag(Embedding embedding, BagFunction function) {
    this.embedding = embedding;
    this.function = function;
  }

  /**
   * The sum of a bag's rows; values from N(0, 1), a gradient of rows.
   *
   * @throws IllegalArgumentException where a size is not positive
   */
  public static EmbeddingBag sum(int vocabulary, int width) {
    return new EmbeddingBag(new Embedding(vocabulary, width), BagFunction.SUM);
  }

  /**
   * The sum of a bag's rows; values by the given rule.
   *
   * @throws IllegalArgumentException where a size is not positive
   */
  public static EmbeddingBag sum(
      int vocabulary, int width, Initializer values, Embedding.Gradient gradient) {
    return new EmbeddingBag(new Embedding(vocabulary, width, values, gradient), BagFunction.SUM);
  }

  /**
   * The mean of a bag's rows; values from N(0, 1), a gradient of rows.
   *
   * @throws IllegalArgumentException where a size is not positive
   */
  public static EmbeddingBag mean(int vocabulary, int width) {
    return new EmbeddingBag(new Embedding(vocabulary, width), BagFunction.MEAN);
  }

  /**
   * The mean of a bag's rows; values by the given rule.
   *
   * @throws IllegalArgumentException where a size is not positive
   */
  public static EmbeddingBag mean(
      int vocabulary, int width, Initializer values, Embedding.Gradient gradient) {
    return new EmbeddingBag(new Embedding(vocabulary, width, values, gradient), BagFunction.MEAN);
  }

  @Override
  public Tensor forward(Operations operations, Tensor ids) {
    return operations.apply(new EmbeddingBagOperation(function), embedding.table().tensor(), ids);
  }

  /**
   * Bags of various lengths.
   *
   * @param ids (n), int32
   * @param offsets where each bag begins, ascending, int32 (bags); the last ends at n
   * @return (bags, width); an empty bag is 0, one whose offsets run backwards NaN
   */
  public Tensor forward(Operations operations, Tensor ids, Tensor offsets) {
    return operations.apply(
        new EmbeddingBagOperation(function), embedding.table().tensor(), ids, offsets);
  }

  @Override
  public RowType output(RowType input) {
    Embedding.checkIds(this, input, embedding.table());
    if (input.shape().rank() != 1) {
      throw new IllegalArgumentException(
          format("%s takes a vector of ids a row and got %s", this, input));
    }
    return RowType.floating(Shape.of(embedding.table().shape().size(1)));
  }

  @Override
  public List<Parameter> parameters() {
    return embedding.parameters();
  }

  @Override
  public Map<String, Object> settings() {
    Map<String, Object> settings = new HashMap<>(embedding.settings());
    settings.put("function", function.token());
    return settings;
  }

  @Override
  public String spec() {
    Shape shape = embedding.table().shape();
    return format("embedding_bag(%d,%d,%s)", shape.size(0), shape.size(1), function.token());
  }

  @Override
  public String toString() {
    Shape shape = embedding.table().shape();
    return format("EmbeddingBag(%d, %d, %s)", shape.size(0), shape.size(1), function);
  }
}
