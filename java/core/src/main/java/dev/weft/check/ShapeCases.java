// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import dev.weft.Tensor;
import dev.weft.op.BroadcastTo;
import dev.weft.op.ConcatOperation;
import dev.weft.op.GatherAlong;
import dev.weft.op.Permute;
import dev.weft.op.Reshape;
import dev.weft.op.ScatterAdd;
import dev.weft.op.Slice;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** Operations that move elements. */
final class ShapeCases {
  private ShapeCases() {}

  static List<OperationCase> all() {
    List<OperationCase> cases = new ArrayList<>();
    for (int axis = 0; axis < 3; axis++) {
      cases.add(slice(axis));
      cases.add(concat(axis));
    }
    cases.add(reshape());
    cases.add(permute("permute_to_rotate", -1));
    cases.add(permute("permute_to_swap", 1));
    cases.add(lastTwo());
    cases.add(broadcast());
    cases.add(stack());
    cases.add(gatherAlong());
    cases.add(scatterAdd());
    return cases;
  }

  private static final long[][] SHAPES = {
    {1, 1, 1}, {3, 5, 7}, {2, 1031, 3}, {4, 20, 90}, {3, 2, 0}
  };

  /** The middle third, rounded up: everything where the axis has one entry. */
  private static OperationCase slice(int axis) {
    OperationCase operation =
        OperationCase.of(
            "slice_of_axis_" + axis,
            Slice.class,
            (tape, in) -> {
              long size = in[0].shape().size(axis);
              return tape.slice(in[0], axis, size / 3, (2 * size + 2) / 3);
            });
    for (long[] shape : SHAPES) {
      operation = operation.at(Input.randomNormal(shape));
    }
    return operation;
  }

  private static OperationCase concat(int axis) {
    OperationCase operation =
        OperationCase.of(
            "concat_along_axis_" + axis,
            ConcatOperation.class,
            (tape, in) -> tape.concat(axis, in));
    for (long[] shape : SHAPES) {
      long[] longer = shape.clone();
      longer[axis] = 2 * shape[axis] + 1;
      operation =
          operation.at(
              Input.randomNormal(shape), Input.randomNormal(longer), Input.randomNormal(shape));
    }
    return operation.at(Input.randomNormal(2, 3, 4));
  }

  private static final long[][] DEEP = {
    {1},
    {7},
    {13, 5},
    {3, 5, 7},
    {2, 3, 4, 5},
    {2, 3, 2, 3, 4},
    {40, 33, 50},
    {3, 65, 2, 70},
    {3, 0, 2}
  };

  /** The axes one place on, or the first two exchanged where there are two. */
  private static OperationCase permute(String name, int exchanged) {
    OperationCase operation =
        OperationCase.of(
            name,
            Permute.class,
            (tape, in) -> {
              int rank = in[0].shape().rank();
              int[] axes = IntStream.range(0, rank).map(i -> (i + 1) % rank).toArray();
              if (exchanged > 0) {
                axes = IntStream.range(0, rank).toArray();
                axes[0] = Math.min(1, rank - 1);
                axes[axes[0]] = 0;
              }
              return tape.permute(in[0], axes);
            });
    for (long[] shape : DEEP) {
      operation = operation.at(Input.randomNormal(shape));
    }
    return operation;
  }

  private static OperationCase lastTwo() {
    OperationCase operation =
        OperationCase.of("permute_of_last_two", Permute.class, (tape, in) -> tape.transpose(in[0]));
    for (long[] shape : DEEP) {
      operation = shape.length < 3 ? operation : operation.at(Input.randomNormal(shape));
    }
    return operation;
  }

  /** Sizes of 1 become 3, and there is one axis more in front. */
  private static OperationCase broadcast() {
    OperationCase operation =
        OperationCase.of(
                "broadcast_to",
                BroadcastTo.class,
                (tape, in) -> {
                  long[] sizes = in[0].shape().batch(2).toArray();
                  for (int i = 0; i < sizes.length; i++) {
                    sizes[i] = sizes[i] == 1 ? 3 : sizes[i];
                  }
                  return tape.broadcastTo(in[0], sizes);
                })
            .summing(inputs -> 162);
    for (long[] shape :
        new long[][] {
          {1}, {1, 5}, {3, 1, 4}, {2, 1, 3, 1}, {5, 2, 1, 3, 1}, {40, 1, 150}, {0, 1}
        }) {
      operation = operation.at(Input.randomNormal(shape));
    }
    return operation;
  }

  private static OperationCase stack() {
    OperationCase operation =
        OperationCase.of(
            "stack", ConcatOperation.class, (tape, in) -> tape.stack(-1, in[0], in[1], in[0]));
    for (long[] shape : SHAPES) {
      operation = operation.at(Input.randomNormal(shape), Input.randomNormal(shape));
    }
    return operation;
  }

  /** The axis whose size is another in the index; the first where none is. */
  private static int axis(Tensor x, Tensor index) {
    return IntStream.range(0, x.shape().rank())
        .filter(i -> i < index.shape().rank() && x.shape().size(i) != index.shape().size(i))
        .findFirst()
        .orElse(0);
  }

  /** Shapes of x and of the index. */
  private static final long[][][] ALONG = {
    {{4}, {4}},
    {{5}, {9}},
    {{13, 5}, {13, 3}},
    {{13, 5}, {40, 5}},
    {{3, 5, 7}, {3, 2, 7}},
    {{2, 3, 4, 5}, {2, 9, 4, 5}},
    {{2, 3, 2, 3, 4}, {2, 3, 2, 3, 11}},
    {{40, 1500}, {40, 7}},
    {{3, 2, 0}, {3, 5, 0}}
  };

  private static OperationCase gatherAlong() {
    OperationCase operation =
        OperationCase.of(
                "gather_along",
                GatherAlong.class,
                (tape, in) -> tape.gatherAlong(in[0], axis(in[0], in[1]), in[1]))
            .summing(inputs -> 40);
    for (long[][] shapes : ALONG) {
      operation =
          operation.at(Input.randomNormal(shapes[0]), Input.integers(smallest(shapes), shapes[1]));
    }
    return operation;
  }

  private static OperationCase scatterAdd() {
    OperationCase operation =
        OperationCase.of(
                "scatter_add",
                ScatterAdd.class,
                (tape, in) -> tape.scatterAdd(in[0], axis(in[0], in[1]), in[1], in[2]))
            .summing(inputs -> 40);
    for (long[][] shapes : ALONG) {
      operation =
          operation.at(
              Input.randomNormal(shapes[0]),
              Input.integers(smallest(shapes), shapes[1]),
              Input.randomNormal(shapes[1]));
    }
    return operation;
  }

  /** A number of places that each axis has. */
  private static int smallest(long[][] shapes) {
    return (int) Math.max(1, LongStream.of(shapes[0]).min().orElse(1));
  }

  private static OperationCase reshape() {
    OperationCase operation =
        OperationCase.of(
            "reshape",
            Reshape.class,
            (tape, in) -> tape.reshape(in[0], in[0].shape().size(1), in[0].shape().size(0)));
    for (long[] shape : new long[][] {{1, 1}, {13, 5}, {3, 1031}, {40, 1500}, {0, 4}}) {
      operation = operation.at(Input.randomNormal(shape));
    }
    return operation;
  }
}
