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
    check(network, RowType.floating(Shape.of(shape.size(1))));
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
    Shape shape = Shape.ofRows(ids);
    int[] flat = Arrays.stream(ids).flatMapToInt(Arrays::stream).toArray();
    for (int r = 0; r < ids.length; r++) {
      for (int id : ids[r]) {
        if (id < 0 || id == Integer.MAX_VALUE) {
          throw new IllegalArgumentException(format("row %d has the id %d, which is none", r, id));
        }
      }
    }
    int most = Arrays.stream(flat).max().orElse(0);
    check(network, RowType.ids(Shape.of(shape.size(1)), most + 1));
    try (Tensor batch = device.upload(DType.I32, shape, MemorySegment.ofArray(flat))) {
      return outputs(network, batch);
    }
  }

  private static void check(Network network, RowType row) {
    try {
      network.output(row);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          format("row 0 has %d values: %s", row.shape().size(0), e.getMessage()), e);
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
