// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;
import dev.weft.op.DropoutOperation;
import java.util.Map;

/**
 * An embedding whose rows are dropped by number (Gal and Ghahramani 2016; Merity, Keskar and Socher
 * 2018): in training a row of the table is 0 with probability {@code rate} wherever the batch has
 * it, and the others are scaled by 1 / (1 - rate); in inference it is the embedding. A step draws
 * once for each row of the table, so that it also costs a few numbers of memory and time for each
 * row of the table, however few a batch takes: little beside a dense gradient of it, much beside
 * one of rows where the table is far larger than a batch.
 */
public final class EmbeddingDropout implements Layer {
  private final Embedding embedding;
  private final double rate;

  /**
   * Drops rows of an embedding.
   *
   * @throws IllegalArgumentException where {@code rate} is outside [0, 1)
   */
  public EmbeddingDropout(Embedding embedding, double rate) {
    DropoutOperation.checkRate(rate);
    this.embedding = embedding;
    this.rate = rate;
  }

  @Override
  public Tensor forward(Operations o, Tensor ids) {
    Tensor rows = embedding.forward(o, ids);
    if (!o.isTraining()) {
      return rows;
    }
    Tensor ones = o.full(rows.dtype(), embedding.table().shape().with(1, 1), 1);
    return o.multiply(rows, o.gather(o.dropout(ones, rate), ids));
  }

  @Override
  public RowType output(RowType input) {
    return embedding.output(input);
  }

  @Override
  public Map<String, Model> children() {
    return Map.of("embedding", embedding);
  }

  @Override
  public Map<String, Object> settings() {
    return Map.of("rate", rate);
  }

  @Override
  public String spec() {
    return format("embedding_dropout(%s,%s)", embedding.spec(), rate);
  }
}
