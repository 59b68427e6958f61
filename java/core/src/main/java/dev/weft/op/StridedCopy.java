// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Engine;
import dev.weft.Node;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;

/**
 * How a tensor is read with strides of its own: neighbouring axes that are read alike are merged
 * first, so that deeper tensors fit the kernel's five axes, too.
 *
 * @param sizes of the merged axes, five of them
 * @param x the strides of what is read, 0 where it is stretched
 * @param y the strides of what is written
 */
record StridedCopy(long[] sizes, long[] x, long[] y) {
  private static final int AXES = 5;

  /**
   * The copy that writes {@code shape} densely.
   *
   * @param strides of what is read, one for each axis of {@code shape}
   * @throws IllegalArgumentException where more than five axes are left
   */
  static StridedCopy to(Shape shape, long[] strides) {
    Strides merged = Strides.merge(shape, strides, Strides.dense(shape));
    if (merged.sizes().length > AXES) {
      throw new IllegalArgumentException(
          format("a copy to %s needs more than %d axes; reshape it first", shape, AXES));
    }
    Strides five = merged.padded(AXES);
    StridedCopy copy = new StridedCopy(five.sizes(), five.a(), five.b());
    copy.bringTilesTogether();
    return copy;
  }

  /** Puts the axis that x runs along beside the last, which y runs along: a tile holds both. */
  private void bringTilesTogether() {
    if (x[AXES - 1] <= 1) {
      return;
    }
    for (int axis = 0; axis < AXES - 2; axis++) {
      if (x[axis] == 1) {
        for (int i = axis; i < AXES - 2; i++) {
          exchange(sizes, i);
          exchange(x, i);
          exchange(y, i);
        }
        return;
      }
    }
  }

  private static void exchange(long[] values, int i) {
    long value = values[i];
    values[i] = values[i + 1];
    values[i + 1] = value;
  }

  /**
   * Copies. Numbers of int32 are moved as floats, whose bits they keep.
   *
   * @param from what is read
   * @param to what is written, or added to
   */
  void run(Node node, Tensor from, Tensor to, boolean accumulate) {
    node.run(
        Kernel.STRIDED_COPY,
        from.dtype() == DType.I32 ? DType.F32 : from.dtype(),
        new Arguments.StridedCopy(
            Engine.address(from),
            Engine.address(to),
            sizes[0],
            sizes[1],
            sizes[2],
            sizes[3],
            sizes[4],
            x[0],
            x[1],
            x[2],
            x[3],
            x[4],
            y[0],
            y[1],
            y[2],
            y[3],
            y[4],
            accumulate));
  }
}
