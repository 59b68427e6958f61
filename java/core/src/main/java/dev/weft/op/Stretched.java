// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import dev.weft.Node;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.ReductionFunction;

/** Undoes broadcasting for gradients: sums over the axes that were stretched. */
final class Stretched {
  private Stretched() {}

  /** Sums {@code full} over the axes that the sink's shape stretches, one run of axes at a time. */
  static void sumInto(Node node, Tensor full, Node.Sink sink) {
    Shape narrow = sink.tensor().shape();
    Shape wide = full.shape();
    int rank = wide.rank();
    Tensor current = full;
    Shape shape = wide;
    int end = rank;
    while (end > 0) {
      while (end > 0 && !stretched(narrow, wide, end - 1)) {
        end--;
      }
      int start = end;
      while (start > 0 && stretched(narrow, wide, start - 1)) {
        start--;
      }
      if (start == end) {
        break;
      }
      boolean last = noneBefore(narrow, wide, start);
      long outer = shape.elements(0, start);
      long count = shape.elements(start, end);
      long inner = shape.elements(end, rank);
      Shape next = shape;
      for (int axis = start; axis < end; axis++) {
        next = next.with(axis, 1);
      }
      Tensor target = last ? sink.tensor() : node.make(full.dtype().wide(), next);
      Reduction.run(
          node,
          current,
          target,
          outer,
          count,
          inner,
          ReductionFunction.SUM,
          1,
          last && sink.accumulate());
      if (current != full) {
        node.release(current);
      }
      current = target;
      shape = next;
      end = start;
    }
  }

  private static boolean noneBefore(Shape narrow, Shape wide, int axis) {
    for (int i = 0; i < axis; i++) {
      if (stretched(narrow, wide, i)) {
        return false;
      }
    }
    return true;
  }

  private static boolean stretched(Shape narrow, Shape wide, int axis) {
    int own = axis - (wide.rank() - narrow.rank());
    return wide.size(axis) != 1 && (own < 0 || narrow.size(own) == 1);
  }
}
