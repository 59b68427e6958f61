// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import dev.weft.Shape;
import dev.weft.device.BagFunction;
import dev.weft.op.BatchNormOperation;
import dev.weft.op.EmbeddingBagOperation;
import dev.weft.op.GatherRows;
import dev.weft.op.LayerNormOperation;
import dev.weft.op.PathLossOperation;
import java.util.List;
import java.util.stream.IntStream;

/** Operations that take rows by number, or normalise them. */
final class RowCases {
  private RowCases() {}

  static List<OperationCase> all() {
    return List.of(
        gather(),
        embeddingBag(BagFunction.SUM),
        embeddingBag(BagFunction.MEAN),
        paddedBag(BagFunction.SUM),
        paddedBag(BagFunction.MEAN),
        pathLoss(),
        pathLossByNumber(),
        layerNorm(
            "layer_norm", 1e-5, new long[][] {{13, 5}, {3, 1031}, {40, 1500}, {2, 12_345}, {0, 4}}),
        // few numbers may lie close together: a small epsilon would multiply roundings
        layerNorm("layer_norm_narrow", 0.1, new long[][] {{1, 1}, {5000, 3}}),
        batchNorm("batch_norm", 1e-5, new long[][] {{13, 5}, {40, 1500}, {3001, 33}, {5000, 3}}),
        batchNorm("batch_norm_narrow", 0.1, new long[][] {{2, 1}, {3, 1031}, {9, 4100}}));
  }

  private static OperationCase gather() {
    OperationCase operation =
        OperationCase.of("gather_rows", GatherRows.class, (tape, in) -> tape.gather(in[0], in[1]))
            .summing(inputs -> Math.max(1, inputs.get(1).elements()));
    // source rows, columns, rows taken: some are taken twice, some never
    for (long[] size :
        new long[][] {
          {1, 1, 1}, {5, 7, 11}, {31, 129, 40}, {7, 1031, 3}, {1500, 40, 900}, {5, 7, 0}
        }) {
      operation =
          operation.at(
              Input.randomNormal(size[0], size[1]), Input.integers((int) size[0], size[2]));
    }
    // half of all is one row, in several chunks and many tiles
    int[] skewed = IntStream.range(0, 5001).map(i -> i % 2 == 0 ? 3 : i * 7919 % 70).toArray();
    return operation
        .at(Input.randomNormal(70, 5), Input.integers(skewed))
        .at(Input.randomNormal(5, 2), Input.integers(5, 3, 4))
        .at(Input.randomNormal(90, 60), Input.integers(90, 128, 4));
  }

  /** Bags that are empty, of one row, and longer than what a GPU reads at a time. */
  private static OperationCase embeddingBag(BagFunction function) {
    return OperationCase.of(
            "embedding_bag_" + function.token(),
            EmbeddingBagOperation.class,
            (tape, in) -> tape.apply(new EmbeddingBagOperation(function), in[0], in[1], in[2]))
        .summing(inputs -> Math.max(1, inputs.get(1).elements()))
        .at(Input.randomNormal(1, 1), Input.integers(1, 1), Input.integers(new int[] {0}))
        .at(Input.randomNormal(5, 7), Input.integers(5, 9), Input.integers(new int[] {0, 2, 2, 3}))
        .at(
            Input.randomNormal(40, 129),
            Input.integers(40, 70),
            Input.integers(new int[] {0, 0, 1, 6, 57, 70}))
        .at(
            Input.randomNormal(300, 36),
            Input.integers(300, 2100),
            Input.integers(IntStream.range(0, 700).map(b -> 3 * b).toArray()))
        .at(Input.randomNormal(5, 7), Input.integers(5, 0), Input.integers(new int[] {0, 0}));
  }

  /** Bags of one length; with padding none is full, one has none, and one begins with it. */
  private static OperationCase paddedBag(BagFunction function) {
    int[] lengths = {3, 0, 7, 1, 9, 40};
    int[] ids =
        IntStream.range(0, 6 * 41)
            .map(i -> i % 41 < lengths[i / 41] && i != 82 ? i * 7919 % 70 : -1)
            .toArray();
    return OperationCase.of(
            "embedding_bag_" + function.token() + "_padded",
            EmbeddingBagOperation.class,
            (tape, in) -> tape.apply(new EmbeddingBagOperation(function), in[0], in[1]))
        .summing(inputs -> Math.max(1, inputs.get(1).elements()))
        .at(Input.randomNormal(5, 7), Input.integers(5, 9))
        .at(Input.randomNormal(40, 129), Input.integers(40, 3, 2, 5))
        .at(Input.randomNormal(70, 36), Input.integers(Shape.of(6, 41), ids))
        .at(Input.randomNormal(5, 8), Input.integers(5, 4, 0))
        .at(Input.randomNormal(5, 8), Input.integers(5, 0, 4));
  }

  /** Steps to rows that come again, and some that are none. */
  private static OperationCase pathLoss() {
    OperationCase operation =
        OperationCase.of(
                "path_loss",
                PathLossOperation.class,
                (tape, in) -> tape.pathLosses(in[0], in[1], in[2]))
            .summing(inputs -> inputs.get(0).size(1) + inputs.get(2).elements());
    // rows, columns, rows of the table, length
    for (long[] size :
        new long[][] {
          {1, 1, 1, 1},
          {5, 7, 3, 6},
          {11, 129, 40, 4},
          {3, 1031, 7, 2},
          {70, 36, 300, 20},
          {4, 5, 3, 0}
        }) {
      int steps = (int) (2 * size[2] + 1);
      int[] ids =
          IntStream.range(0, (int) (size[0] * size[3]))
              .map(i -> i * 7919 % steps - i % 2)
              .toArray();
      operation =
          operation.at(
              Input.randomNormal(size[0], size[1]),
              Input.uniform(-0.5, 0.5, size[2], size[1]),
              Input.integers(Shape.of(size[0], size[3]), clamped(ids, steps - 2)));
    }
    return operation;
  }

  private static int[] clamped(int[] steps, int most) {
    return IntStream.of(steps).map(step -> Math.min(step, most)).toArray();
  }

  /** Paths of no step, of one, and of more than a GPU reads at a time; one that nobody takes. */
  private static OperationCase pathLossByNumber() {
    int[] offsets = {0, 0, 1, 10, 12};
    return OperationCase.of(
            "path_loss_by_number",
            PathLossOperation.class,
            (tape, in) -> tape.pathLosses(in[0], in[1], in[2], in[3], in[4], 10))
        .summing(inputs -> inputs.get(0).size(1) + 10 * inputs.get(0).size(0))
        .at(
            Input.randomNormal(1, 3),
            Input.randomNormal(4, 3),
            Input.integers(8, 3),
            Input.integers(new int[] {0}),
            Input.integers(new int[] {0}))
        .at(
            Input.randomNormal(6, 7),
            Input.randomNormal(9, 7),
            Input.integers(18, 15),
            Input.integers(offsets),
            Input.integers(new int[] {2, 0, 4, 2, 1, 4}))
        .at(
            Input.randomNormal(300, 36),
            Input.uniform(-0.5, 0.5, 50, 36),
            Input.integers(100, 15),
            Input.integers(offsets),
            Input.integers(5, 300));
  }

  private static OperationCase layerNorm(String name, double epsilon, long[]... shapes) {
    return norm(
        OperationCase.of(
                name,
                LayerNormOperation.class,
                (tape, in) -> tape.layerNorm(in[0], in[1], in[2], epsilon))
            .summing(inputs -> Math.max(inputs.get(0).elements(0, 1), inputs.get(1).elements())),
        shapes);
  }

  private static OperationCase batchNorm(String name, double epsilon, long[]... shapes) {
    return norm(
        OperationCase.of(
                name,
                BatchNormOperation.class,
                (tape, in) -> tape.batchNorm(in[0], in[1], in[2], epsilon))
            .summing(inputs -> inputs.get(0).size(0)),
        shapes);
  }

  private static OperationCase norm(OperationCase operation, long[]... shapes) {
    for (long[] shape : shapes) {
      long width = shape[1];
      operation =
          operation.at(
              Input.uniform(-3, 3, shape),
              Input.uniform(0.5, 2, width),
              Input.uniform(-1, 1, width));
    }
    return operation;
  }
}
