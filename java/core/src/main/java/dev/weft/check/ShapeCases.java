// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import dev.weft.op.ConcatOperation;
import dev.weft.op.Reshape;
import dev.weft.op.Slice;
import java.util.ArrayList;
import java.util.List;

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
