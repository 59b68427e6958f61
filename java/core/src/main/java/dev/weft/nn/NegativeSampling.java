// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.text.AliasTable;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Negative sampling (Mikolov et al. 2013): the last layer of a network that learns vectors, and its
 * loss, the mean over rows of
 *
 * <pre>
 *   -log σ(x · table[label]) - Σ log σ(-x · table[noise])   over words drawn as noise
 * </pre>
 *
 * <p>x (rows, width), table (words, width). Noise is drawn anew in each step, on the device; a word
 * drawn that is the label is left out. Of the table a step reads and changes only the rows that are
 * its labels and its noise. The layer passes x on: what it learns are the vectors, and {@link
 * #scores} how well words fit one.
 *
 * {@snippet file="Examples.java" region="negativeSampling"}
 *
 * <p>It is a layer because its table belongs to the network, which holds, moves and saves it; a
 * network that has it is trained with it as the loss.
 */
public final class NegativeSampling implements Layer, Loss {
  private final int width;
  private final int negatives;
  private final AliasTable noise;
  private final String target;
  private final Parameter table;
  private final Constant thresholds;
  private final Constant aliases;

  /**
   * Against the ids of {@link Inputs#TARGETS}.
   *
   * @param width the width of x
   * @param negatives how many words are drawn for each row
   * @param noise what they are drawn from, {@link AliasTable#noise} of a vocabulary
   * @throws IllegalArgumentException where the width or the number is not positive
   */
  public NegativeSampling(int width, int negatives, AliasTable noise) {
    this(width, negatives, noise, Inputs.TARGETS);
  }

  /** With the ids of the words that are right in this column of the data. */
  public NegativeSampling(int width, int negatives, AliasTable noise, String target) {
    if (width < 1 || negatives < 1) {
      throw new IllegalArgumentException(
          format("NegativeSampling(%d, %d): width and negatives are positive", width, negatives));
    }
    this.width = width;
    this.negatives = negatives;
    this.noise = noise;
    this.target = target;
    table = Parameter.rows("table", Shape.of(noise.size(), width), Initializers.zeros());
    thresholds = new Constant("thresholds", noise.thresholds());
    aliases = new Constant("aliases", noise.aliases());
  }

  /** A row for each word, (words, width); at first 0. */
  public Parameter table() {
    return table;
  }

  /** x itself. */
  @Override
  public Tensor forward(Operations operations, Tensor x) {
    return x;
  }

  /** x · table[w] for all words w, (rows, words); no gradient reaches the table. */
  public Tensor scores(Operations operations, Tensor x) {
    return operations.withoutGradient(
        () -> operations.matmul(x, operations.transpose(table.tensor())));
  }

  @Override
  public RowType output(RowType input) {
    VectorRows.check(this, input, width);
    return input;
  }

  @Override
  public void check(RowType output, Inputs<RowType> data) {
    VectorRows.checkLabels(spec(), target, data.get(target), noise.size());
    if (!output.equals(RowType.floating(Shape.of(width)))) {
      throw new IllegalArgumentException(
          format("%s must be the last layer of the network, which gives %s", spec(), output));
    }
  }

  @Override
  public Tensor apply(Operations operations, Tensor output, Inputs<Tensor> data) {
    Tensor steps =
        operations.negativeSamples(
            data.get(target), thresholds.tensor(), aliases.tensor(), negatives);
    return operations.mean(operations.pathLosses(output, table.tensor(), steps));
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(table);
  }

  @Override
  public List<Constant> constants() {
    return List.of(thresholds, aliases);
  }

  @Override
  public Map<String, Object> settings() {
    return Map.of(
        "width", width,
        "negatives", negatives,
        "thresholds", text(noise.thresholds()),
        "aliases", text(noise.aliases()),
        "target", target);
  }

  private static String text(int... values) {
    return IntStream.of(values).mapToObj(Integer::toString).collect(Collectors.joining(" "));
  }

  static NegativeSampling of(Settings settings) {
    return new NegativeSampling(
        settings.integer("width"),
        settings.integer("negatives"),
        AliasTable.of(integers(settings, "thresholds"), integers(settings, "aliases")),
        settings.text("target"));
  }

  private static int[] integers(Settings settings, String name) {
    String[] words = settings.text(name).split(" ");
    return IntStream.range(0, words.length).map(i -> Integer.parseInt(words[i])).toArray();
  }

  @Override
  public String spec() {
    return format("negative_sampling(%d,%d)", width, negatives);
  }

  @Override
  public String toString() {
    return format("NegativeSampling(%d, %d, %d words)", width, negatives, noise.size());
  }
}
