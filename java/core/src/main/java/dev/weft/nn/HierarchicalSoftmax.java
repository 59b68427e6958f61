// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.Parameter;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.text.HuffmanTree;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Hierarchical softmax (Morin and Bengio 2005): the last layer of a network and its loss, in place
 * of a {@link Linear} layer over all classes and {@link SoftmaxCrossEntropy}. Classes are the
 * leaves of a tree, and a row x (rows, width) has class c with the probability of taking the path
 * to it:
 *
 * <pre>
 *   P(c | x) = Π σ((1 - 2 bit) x · table[node])   over the inner nodes on the way to c
 * </pre>
 *
 * <p>The loss is the mean of -log P(label | x). Of the table (classes - 1, width) a step reads and
 * changes only the nodes on its labels' paths. In training the layer therefore passes x on to the
 * loss; in inference it gives log P of all classes, (rows, classes), so that a network answers for
 * its classes as with any other last layer: {@link Network#classes}, {@link Network#probabilities}.
 *
 * {@snippet file="Examples.java" region="hierarchicalSoftmax"}
 *
 * <p>It is a layer because its table belongs to the network, which holds, moves and saves it; a
 * network that has it is trained with it as the loss.
 */
public final class HierarchicalSoftmax implements Layer, Loss {
  private final int width;
  private final HuffmanTree tree;
  private final String target;
  private final Parameter table;
  private final Constant steps;
  private final Constant offsets;

  /**
   * Over the classes of a tree, against the labels of {@link Inputs#TARGETS}.
   *
   * @param width the width of x
   * @throws IllegalArgumentException where the width is not positive, or there are fewer than 2
   *     classes
   */
  public HierarchicalSoftmax(int width, HuffmanTree tree) {
    this(width, tree, Inputs.TARGETS);
  }

  /** Over the classes of a tree, with the labels in this column of the data. */
  public HierarchicalSoftmax(int width, HuffmanTree tree, String target) {
    if (width < 1 || tree.size() < 2) {
      throw new IllegalArgumentException(
          format(
              "HierarchicalSoftmax(%d, %d classes): a width of at least 1, and 2 classes or more",
              width, tree.size()));
    }
    this.width = width;
    this.tree =
        HuffmanTree.ofCodes(codes(tree)); // whose nodes have the numbers that a file gives them
    this.target = target;
    table = Parameter.rows("table", Shape.of(tree.size() - 1, width), Initializers.zeros());
    steps = new Constant("steps", tree.steps());
    offsets = new Constant("offsets", IntStream.of(tree.offsets()).limit(tree.size()).toArray());
  }

  /** The tree whose leaves are the classes. */
  public HuffmanTree tree() {
    return tree;
  }

  /** A row for each inner node of the tree, (classes - 1, width); at first 0. */
  public Parameter table() {
    return table;
  }

  /** x itself in training, else {@link #logProbabilities}. */
  @Override
  public Tensor forward(Operations operations, Tensor x) {
    return operations.isTraining() ? x : logProbabilities(operations, x);
  }

  /** log P of all classes, (rows, classes); it takes all nodes, and no gradient reaches them. */
  public Tensor logProbabilities(Operations operations, Tensor x) {
    return operations.withoutGradient(
        () -> operations.pathLogProbabilities(x, table.tensor(), steps.tensor(), offsets.tensor()));
  }

  /** -log P of a class for each row, (rows). */
  public Tensor losses(Operations operations, Tensor x, Tensor labels) {
    return operations.pathLosses(
        x, table.tensor(), steps.tensor(), offsets.tensor(), labels, tree.longest());
  }

  @Override
  public RowType output(RowType input) {
    VectorRows.check(this, input, width);
    return RowType.floating(Shape.of(tree.size()));
  }

  @Override
  public void check(RowType output, Inputs<RowType> data) {
    VectorRows.checkLabels(spec(), target, data.get(target), tree.size());
    if (!output.equals(RowType.floating(Shape.of(tree.size())))) {
      throw new IllegalArgumentException(
          format("%s must be the last layer of the network, which gives %s", spec(), output));
    }
  }

  @Override
  public Tensor apply(Operations operations, Tensor output, Inputs<Tensor> data) {
    Tensor labels = data.get(target);
    return operations.isTraining()
        ? operations.mean(losses(operations, output, labels))
        : operations.softmaxCrossEntropy(output, labels); // of logarithms that add up to 1 as e^y
  }

  @Override
  public Tensor predictions(Operations operations, Tensor output) {
    return operations.isTraining() ? logProbabilities(operations, output) : output;
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(table);
  }

  @Override
  public List<Constant> constants() {
    return List.of(steps, offsets);
  }

  @Override
  public Map<String, Object> settings() {
    return Map.of("width", width, "codes", String.join(" ", codes(tree)), "target", target);
  }

  private static String[] codes(HuffmanTree tree) {
    return IntStream.range(0, tree.size()).mapToObj(tree::code).toArray(String[]::new);
  }

  static HierarchicalSoftmax of(Settings settings) {
    return new HierarchicalSoftmax(
        settings.integer("width"),
        HuffmanTree.ofCodes(settings.text("codes").split(" ")),
        settings.text("target"));
  }

  @Override
  public String spec() {
    return format("hierarchical_softmax(%d,%d)", width, tree.size());
  }

  @Override
  public String toString() {
    return format("HierarchicalSoftmax(%d, %d classes)", width, tree.size());
  }
}
