// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Operations;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The paths of negative sampling for {@link PathLossOperation}: y_r is the step to the label,
 * branch 0, and then steps to rows that are drawn as noise, branch 1, and -1 for one that is the
 * label. Noise is drawn by Philox at (seed, step, draw, place) from an alias table, as {@code
 * dev.weft.text.AliasTable} makes it.
 *
 * <p>labels int32 (n), thresholds and aliases int32 (words), y int32 (n, 1 + negatives), without
 * gradient. A label outside 0..words-1 has no step that is one, and a loss that is NaN.
 *
 * @param negatives how many rows are drawn for each label, at least 1
 */
public record NegativeSamples(int negatives) implements Operation {
  private static final Operands OPERANDS = Operands.int32("labels", "thresholds", "aliases");

  /** Checks the number. */
  public NegativeSamples {
    if (negatives < 1) {
      throw new IllegalArgumentException(
          format("negative sampling draws at least 1 row for each label, not %d", negatives));
    }
  }

  @Override
  public String name() {
    return "negative_samples";
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor labels = node.input(0);
    Shape words = node.input(1).shape();
    if (labels.shape().rank() != 1 || words.rank() != 1 || !words.equals(node.input(2).shape())) {
      throw new IllegalArgumentException(
          format(
              "negative_samples needs labels [n], thresholds [words] and aliases [words], not %s,"
                  + " %s and %s",
              labels.shape(), words, node.input(2).shape()));
    }
    long rows = labels.elements();
    Tensor steps = node.make(DType.I32, Shape.of(rows, 1L + negatives));
    node.run(
        Kernel.NEGATIVE_SAMPLES,
        DType.F32,
        new Arguments.NegativeSamples(
            Engine.address(labels),
            Engine.address(node.input(1)),
            Engine.address(node.input(2)),
            Engine.address(node.state()),
            Engine.address(steps),
            rows,
            words.elements(),
            negatives,
            node.draw()));
    return steps;
  }

  @Override
  public void backward(Node node) {
    // ids have no gradient
  }

  @Override
  public @Nullable Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    return null;
  }
}
