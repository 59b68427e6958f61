// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;

import dev.weft.ReductionOperations;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.BinaryFunction;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Whether the rows of a loss count alike. */
public enum RowWeights {
  /** Each row counts as any other. */
  EQUAL,
  /**
   * The loss of row r is multiplied by element r of an input, which is (rows) of the wide type of x
   * and gets no gradient; where that is 0 the loss is 0, whatever the row holds. A mean is over all
   * rows nevertheless: for a weighted one divide the weights by their sum, and take the sum.
   */
  GIVEN;

  /**
   * Checks that weights, the last of the inputs, are (rows) like the first.
   *
   * @throws IllegalArgumentException with all shapes, where they are not
   */
  public static void check(String loss, List<String> names, Tensor... inputs) {
    Shape x = inputs[0].shape();
    Tensor weights = inputs[inputs.length - 1];
    long rows = x.rank() == 0 ? 1 : x.size(0);
    if (!weights.shape().equals(Shape.of(rows))) {
      throw new IllegalArgumentException(
          format(
              "%s needs a weight for each of its rows: %s",
              loss,
              IntStream.range(0, inputs.length)
                  .mapToObj(i -> names.get(i) + " " + inputs[i].shape())
                  .collect(Collectors.joining(", "))));
    }
  }

  /**
   * weights / Σ divisors, which makes a sum of what the weights multiply a mean; all 0 where Σ
   * divisors is, so that a batch in which nothing counts changes nothing.
   *
   * @return of the wide type
   */
  public static Tensor shares(ReductionOperations on, Tensor weights, Tensor divisors) {
    Tensor sum = on.sum(on.wide(divisors));
    Tensor divisor = on.apply(new Binary(BinaryFunction.KEEP, 1), sum, sum); // 1 in place of 0
    Tensor shares = on.divide(on.wide(weights), divisor);
    return on.apply(new Binary(BinaryFunction.KEEP, 0), shares, sum);
  }
}
