// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import dev.weft.Shape;
import dev.weft.op.MatMul;
import dev.weft.op.Transpose;
import java.util.ArrayList;
import java.util.Arrays;
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
        cases.add(batches(new MatMul(a, b)));
      }
    }
    cases.add(vectors());
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

  /** Leading axes that are the same, that stretch one way, and the other; and both. */
  private static OperationCase batches(MatMul product) {
    OperationCase operation =
        OperationCase.of(
                product.name() + "_of_batches",
                MatMul.class,
                (tape, in) -> tape.apply(product, in[0], in[1]))
            .summing(inputs -> Math.max(inputs.get(0).elements(), inputs.get(1).elements()));
    for (long[][] leading :
        new long[][][] {
          {{3}, {3}},
          {{7}, {}},
          {{}, {7}},
          {{2, 3}, {3}},
          {{2, 1, 3}, {4, 1}},
          {{1, 2, 3}, {1}},
          {{0}, {1}}
        }) {
      operation =
          operation.at(
              matrix(product.a(), 5, 7, leading[0]), matrix(product.b(), 7, 4, leading[1]));
    }
    return operation
        .at(matrix(product.a(), 33, 65, 17), matrix(product.b(), 65, 40, 17))
        .at(matrix(product.a(), 3, 0, 2), matrix(product.b(), 0, 4, 2));
  }

  /** Vectors on either side, and batches times one matrix. */
  private static OperationCase vectors() {
    OperationCase operation =
        OperationCase.of("matmul_of_vectors", MatMul.class, (tape, in) -> tape.matmul(in[0], in[1]))
            .summing(inputs -> inputs.get(0).elements());
    for (long[][] shapes :
        new long[][][] {
          {{7}, {7}},
          {{5, 7}, {7}},
          {{7}, {7, 4}},
          {{2, 3, 5, 7}, {7}},
          {{7}, {2, 3, 7, 4}},
          {{2, 3, 5, 7}, {7, 4}},
          {{2, 3, 1, 5, 7}, {1, 2, 7, 4}},
          {{0, 5, 7}, {7, 4}}
        }) {
      operation = operation.at(Input.randomNormal(shapes[0]), Input.randomNormal(shapes[1]));
    }
    return operation;
  }

  private static Input matrix(MatMul.Form form, long rows, long columns, long... leading) {
    long[] sizes = Arrays.copyOf(leading, leading.length + 2);
    sizes[leading.length] = form == MatMul.Form.PLAIN ? rows : columns;
    sizes[leading.length + 1] = form == MatMul.Form.PLAIN ? columns : rows;
    return Input.randomNormal(sizes);
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
