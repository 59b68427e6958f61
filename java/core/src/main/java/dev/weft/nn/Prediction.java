// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** A network's outputs for rows in a Java array, in one batch. */
final class Prediction {
  private Prediction() {}

  static double[][] of(Network network, double[][] x) {
    Device device = network.arena().values().device();
    if (x.length == 0) {
      return new double[0][];
    }
    Shape shape = Shape.ofRows(x);
    long values = shape.size(1);
    check(network, RowType.floating(Shape.of(values)), format("row 0 has %d values", values));
    double[] flat = Arrays.stream(x).flatMapToDouble(Arrays::stream).toArray();
    try (Tensor batch = device.tensor(network.math().dtype(), shape, flat)) {
      return outputs(network, batch);
    }
  }

  static double[][] of(Network network, int[][] ids) {
    Device device = network.arena().values().device();
    if (ids.length == 0) {
      return new double[0][];
    }
    Shape shape = Shape.ofLongest(ids);
    int longest = (int) shape.size(1);
    int[] flat = new int[Math.multiplyExact(ids.length, longest)];
    Arrays.fill(flat, RowType.PADDING);
    int most = 0;
    int rowOfMost = 0;
    boolean padded = false;
    for (int r = 0; r < ids.length; r++) {
      padded |= ids[r].length < longest;
      for (int id : ids[r]) {
        if (id < RowType.PADDING || id == Integer.MAX_VALUE) {
          throw new IllegalArgumentException(format("row %d has the id %d, which is none", r, id));
        }
        padded |= id == RowType.PADDING;
        if (id > most) {
          most = id;
          rowOfMost = r;
        }
      }
      System.arraycopy(ids[r], 0, flat, r * longest, ids[r].length);
    }
    Shape row = Shape.of(longest);
    check(
        network,
        padded ? RowType.paddedIds(row, most + 1) : RowType.ids(row, most + 1),
        format("rows of %d ids, the largest %d in row %d", longest, most, rowOfMost));
    try (Tensor batch = device.upload(DType.I32, shape, MemorySegment.ofArray(flat))) {
      return outputs(network, batch);
    }
  }

  private static void check(Network network, RowType row, String what) {
    try {
      network.output(row);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(format("%s: %s", what, e.getMessage()), e);
    }
  }

  private static double[][] outputs(Network network, Tensor batch) {
    try (Tape tape = Tape.inference(batch.device())) {
      Tensor output = network.forward(tape, batch);
      double[] y = output.toDoubles();
      double[][] rows = new double[(int) output.shape().size(0)][];
      int width = y.length / rows.length;
      for (int r = 0; r < rows.length; r++) {
        rows[r] = Arrays.copyOfRange(y, r * width, (r + 1) * width);
      }
      return rows;
    }
  }
}
