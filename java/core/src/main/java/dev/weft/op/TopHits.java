// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

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
 * Which rows have their label among the k largest of their values.
 *
 * <p>x (rows, classes), labels int32 (rows), y (rows) of the wide type of x: 1 where fewer than k
 * values of the row lie above the label's, of equal ones those before it taken for larger; else 0,
 * also where the label is outside 0..classes-1 or the row holds NaN or +infinity. It has no
 * gradient, as it is constant but for jumps. Memory for y may be given as a third input.
 *
 * @param k at least 1
 */
public record TopHits(int k) implements Operation {
  private static final Operands OPERANDS = Operands.floatingAndInt32("x", "labels").andAny("hits");

  /** Checks k. */
  public TopHits {
    if (k < 1) {
      throw new IllegalArgumentException("of the largest values at least 1 is asked, not " + k);
    }
  }

  @Override
  public String name() {
    return "top_hits";
  }

  @Override
  public Operands operands() {
    return OPERANDS;
  }

  @Override
  public Tensor forward(Node node) {
    Tensor x = node.input(0);
    Tensor labels = node.input(1);
    LabelledRows.check(node);
    Shape rows = labels.shape();
    Tensor given = LabelledRows.hits(node, 2);
    Tensor hits = given == null ? node.make(x.dtype().wide(), rows) : given;
    node.run(
        Kernel.TOP_HITS,
        new Arguments.TopHits(
            Engine.address(x),
            Engine.address(labels),
            Engine.address(hits),
            rows.elements(),
            x.shape().size(1),
            k));
    return hits;
  }

  @Override
  public void backward(Node node) {
    // nothing to add: the derivative is 0
  }

  @Override
  public @Nullable Tensor tangent(Operations on, Node node, List<@Nullable Tensor> tangents) {
    return null;
  }
}
