// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import dev.weft.TensorFunction;
import dev.weft.device.ReductionFunction;
import dev.weft.op.CumulativeSum;
import dev.weft.op.Reduction;
import dev.weft.op.Softmax;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * Sums, means, maxima and squared norms over everything, over rows, over columns and in between,
 * and softmax likewise.
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
      cases.add(
          several(
              "reduce_" + function.token() + "_over_both_sides",
              (tape, in) ->
                  switch (function) {
                    case SUM -> tape.sum(in[0], 0, -1);
                    case MEAN -> tape.mean(in[0], 0, -1);
                    case MAX -> tape.max(in[0], 0, -1);
                    case SUM_OF_SQUARES -> tape.squaredNorm(in[0], 0, -1);
                  }));
    }
    cases.add(several("reduce_min", (tape, in) -> tape.min(in[0], 0, -1)));
    cases.add(several("variance", (tape, in) -> tape.variance(in[0], 0, -1)));
    cases.add(several("variance_of_samples", (tape, in) -> tape.sampleVariance(in[0], 0, -1)));
    cases.add(several("norm", (tape, in) -> tape.norm(in[0], 0, -1)));
    cases.add(several("log_sum_exp", (tape, in) -> tape.logSumExp(in[0], 0, -1)));
    for (int axis = 0; axis < 3; axis++) {
      cases.add(cumulative(axis));
    }
    for (Softmax.Result result : Softmax.Result.values()) {
      cases.add(softmax(result, -1, "", SHAPES));
      cases.add(softmax(result, 0, "_over_rows", new long[][] {{1, 1}, {13, 5}, {1500, 40}}));
      cases.add(softmax(result, 1, "_over_the_middle", MIDDLE_SHAPES));
    }
    return cases;
  }

  /** Over the first and the last axis, which are no neighbours. */
  private static OperationCase several(String name, TensorFunction function) {
    OperationCase operation =
        OperationCase.of(name, Reduction.class, function)
            .summing(inputs -> inputs.get(0).elements());
    for (long[] shape :
        new long[][] {
          {2, 1, 1}, {3, 5, 7}, {4, 37, 11}, {2, 3, 4, 5}, {2, 3, 2, 3, 4}, {7, 1031, 3}
        }) {
      operation = operation.at(Input.grid(-3, 3, shape));
    }
    return operation;
  }

  private static OperationCase cumulative(int axis) {
    OperationCase operation =
        OperationCase.of(
                "cumulative_sum_of_axis_" + axis,
                CumulativeSum.class,
                (tape, in) -> tape.cumulativeSum(in[0], axis))
            .summing(inputs -> inputs.get(0).size(axis));
    for (long[] shape :
        new long[][] {{1, 1, 1}, {3, 5, 7}, {2, 1031, 3}, {4, 20, 300}, {300, 3, 4}, {3, 0, 2}}) {
      operation = operation.at(Input.uniform(-3, 3, shape));
    }
    return operation;
  }

  private static final long[][] SHAPES = {{1, 1}, {13, 5}, {37, 70}, {3, 1031}, {5, 9000}, {0, 4}};
  private static final long[][] MIDDLE_SHAPES = {{1, 1, 1}, {3, 5, 7}, {2, 301, 65}, {2, 70, 3}};

  private static OperationCase softmax(
      Softmax.Result result, int axis, String suffix, long[][] shapes) {
    Softmax softmax = new Softmax(axis, result);
    OperationCase operation =
        OperationCase.of(
                softmax.name() + suffix, Softmax.class, (tape, in) -> tape.apply(softmax, in[0]))
            .summing(inputs -> inputs.get(0).size(axis));
    for (long[] shape : shapes) {
      operation = operation.at(Input.uniform(-4, 4, shape));
    }
    return operation;
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
