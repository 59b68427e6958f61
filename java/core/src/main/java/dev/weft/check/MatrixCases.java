// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import dev.weft.Shape;
import dev.weft.op.MatMul;
import dev.weft.op.Transpose;
import java.util.ArrayList;
import java.util.List;

/** Matrix products and the transpose. */
final class MatrixCases {
  /** m, k, n. */
  private static final long[][] SIZES = {
    {1, 1, 1},
    {5, 7, 3},
    {1, 64, 10},
    {31, 17, 13},
    {64, 129, 70},
    {3, 1031, 2},
    {0, 3, 4},
    {4, 0, 3}
  };

  private MatrixCases() {}

  static List<OperationCase> all() {
    List<OperationCase> cases = new ArrayList<>();
    for (MatMul.Form a : MatMul.Form.values()) {
      for (MatMul.Form b : MatMul.Form.values()) {
        cases.add(product(new MatMul(a, b)));
      }
    }
    cases.add(transpose());
    return cases;
  }

  private static OperationCase product(MatMul product) {
    OperationCase operation =
        OperationCase.of(
                product.name(), MatMul.class, (tape, in) -> tape.apply(product, in[0], in[1]))
            .summing(inputs -> longestSide(inputs));
    for (long[] size : SIZES) {
      operation =
          operation.at(
              matrix(product.a(), size[0], size[1]), matrix(product.b(), size[1], size[2]));
    }
    return operation;
  }

  private static Input matrix(MatMul.Form form, long rows, long columns) {
    return form == MatMul.Form.PLAIN
        ? Input.randomNormal(rows, columns)
        : Input.randomNormal(columns, rows);
  }

  private static long longestSide(List<Shape> inputs) {
    return inputs.stream().mapToLong(s -> Math.max(s.size(0), s.size(1))).max().orElse(1);
  }

  private static OperationCase transpose() {
    OperationCase operation =
        OperationCase.of("transpose", Transpose.class, (tape, in) -> tape.transpose(in[0]));
    for (long[] shape :
        new long[][] {{1, 1}, {13, 5}, {32, 32}, {33, 65}, {3, 1031}, {40, 1500}, {0, 4}}) {
      operation = operation.at(Input.randomNormal(shape));
    }
    return operation;
  }
}
