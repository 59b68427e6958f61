// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import dev.weft.device.ReductionFunction;
import dev.weft.op.Reduction;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * Sums, means, maxima and squared norms over everything, over rows, over columns and in between.
 */
final class ReductionCases {
  private ReductionCases() {}

  static List<OperationCase> all() {
    List<OperationCase> cases = new ArrayList<>();
    for (ReductionFunction function : ReductionFunction.values()) {
      cases.add(
          over(function, OptionalInt.empty(), "").summing(inputs -> inputs.get(0).elements()));
      cases.add(axis(function, 0, "_over_rows"));
      cases.add(axis(function, -1, "_over_columns"));
      cases.add(axis(function, 1, "_over_the_middle"));
    }
    return cases;
  }

  private static OperationCase axis(ReductionFunction function, int axis, String suffix) {
    return over(function, OptionalInt.of(axis), suffix).summing(inputs -> inputs.get(0).size(axis));
  }

  private static OperationCase over(ReductionFunction function, OptionalInt axis, String suffix) {
    Reduction reduction = new Reduction(function, axis);
    OperationCase operation =
        OperationCase.of(
            reduction.name() + suffix, Reduction.class, (tape, in) -> tape.apply(reduction, in[0]));
    boolean middle = suffix.equals("_over_the_middle");
    long[][] shapes =
        middle
            ? new long[][] {
              {1, 1, 1}, {3, 5, 7}, {4, 37, 11}, {2, 1031, 3}, {4, 300, 40}, {0, 2, 3}
            }
            : new long[][] {{1, 1}, {13, 5}, {3, 1031}, {1500, 40}, {7, 9000}, {9000, 7}};
    for (long[] shape : shapes) {
      // a grid: no two values are equal, where the largest changes
      operation = operation.at(Input.grid(-3, 3, shape));
    }
    boolean sums =
        function == ReductionFunction.SUM || function == ReductionFunction.SUM_OF_SQUARES;
    if (sums && !middle) {
      operation = operation.at(Input.uniform(-3, 3, 0, 4));
    }
    return operation;
  }
}
