// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.Parameter.Initializer;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Rows of a table, by their numbers: ids (rows, ...), table (vocabulary, width), y (rows, ...,
 * width). An id outside the table gives NaN; data whose ids may be that large are refused before.
 */
public final class Embedding implements Layer {

  /** What the table's gradient is. */
  public enum Gradient {
    /** The rows that a step used: it costs what they cost, and only they are changed. */
    ROWS,
    /** All of the table: for one that something else than ids reads, too, as {@link TiedLinear}. */
    DENSE
  }

  private final Parameter table;

  /** Values from N(0, 1), a gradient of rows. */
  public Embedding(int vocabulary, int width) {
    this(vocabulary, width, Initializers.normal(0, 1), Gradient.ROWS);
  }

  /**
   * Values by the given rule.
   *
   * @throws IllegalArgumentException where a size is not positive
   */
  public Embedding(int vocabulary, int width, Initializer values, Gradient gradient) {
    if (vocabulary < 1 || width < 1) {
      throw new IllegalArgumentException(
          format("Embedding(%d, %d): sizes must be positive", vocabulary, width));
    }
    Shape shape = Shape.of(vocabulary, width);
    table =
        gradient == Gradient.ROWS
            ? Parameter.rows("table", shape, values)
            : new Parameter("table", shape, values);
  }

  @Override
  public Tensor forward(Operations operations, Tensor ids) {
    return operations.gather(table.tensor(), ids);
  }

  @Override
  public RowType output(RowType input) {
    checkIds(this, input, table);
    if (input.padded()) {
      throw new IllegalArgumentException(
          format("%s takes ids in all places and got %s: EmbeddingBag takes these", this, input));
    }
    long[] sizes = Arrays.copyOf(input.shape().toArray(), input.shape().rank() + 1);
    sizes[sizes.length - 1] = table.shape().size(1);
    return RowType.floating(Shape.of(sizes));
  }

  static void checkIds(Layer layer, RowType input, Parameter table) {
    if (!input.isIds()) {
      throw new IllegalArgumentException(format("%s takes ids and got %s", layer, input));
    }
    if (input.below() > table.shape().size(0)) {
      throw new IllegalArgumentException(
          format(
              "%s got ids up to %d: its table has rows 0 to %d",
              layer, input.below() - 1, table.shape().size(0) - 1));
    }
  }

  /** The table (vocabulary, width). */
  public Parameter table() {
    return table;
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(table);
  }

  @Override
  public Map<String, Object> settings() {
    return tableSettings(table);
  }

  static Map<String, Object> tableSettings(Parameter table) {
    return Map.of(
        "vocabulary", table.shape().size(0),
        "width", table.shape().size(1),
        "initializer", Initializers.text(table.initializer()),
        "gradient", table.kind() == Parameter.Kind.ROWS ? "rows" : "dense");
  }

  @Override
  public String spec() {
    return format("embedding(%d,%d)", table.shape().size(0), table.shape().size(1));
  }

  @Override
  public String toString() {
    return format("Embedding(%d, %d)", table.shape().size(0), table.shape().size(1));
  }
}
