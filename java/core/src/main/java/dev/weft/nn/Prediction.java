// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.Inputs;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.data.Storage;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * What a network gives for rows in Java arrays or of a data set, in inference mode, batch by batch.
 */
final class Prediction {
  private static final int ROWS = 256;

  /** What a network is given for rows {@code from} up to, not including, {@code to}. */
  @FunctionalInterface
  private interface Source {
    Inputs<Tensor> batch(Tape tape, int from, int to);
  }

  /** Looks at what a network gave for rows from {@code from} on. */
  @FunctionalInterface
  private interface Reader {
    void read(Tape tape, Tensor y, int from);
  }

  private final Network network;
  private final int rows;
  private final @Nullable RowType output; // null where there are no rows
  private final Source source;

  private Prediction(Network network, int rows, @Nullable RowType output, Source source) {
    this.network = network;
    this.rows = rows;
    this.output = output;
    this.source = source;
  }

  static Prediction of(Network network, double[][] x) {
    DType dtype = network.math().dtype();
    Shape all = Shape.ofRows(x);
    for (int r = 0; r < x.length; r++) {
      for (int i = 0; i < x[r].length; i++) {
        if (!dtype.holds(x[r][i])) {
          throw dtype.refusal(x[r][i], format("row %d, column %d", r, i));
        }
      }
    }
    return of(
        network,
        all,
        (tape, from, to) -> {
          Tensor batch = tape.make(dtype, Shape.of(to - from, all.size(1)));
          batch.copyFrom(Arrays.stream(x, from, to).flatMapToDouble(Arrays::stream).toArray());
          return Inputs.of(batch);
        });
  }

  static Prediction of(Network network, float[][] x) {
    DType dtype = network.math().dtype();
    Shape all = Shape.ofRows(x);
    int width = (int) all.size(1);
    return of(
        network,
        all,
        (tape, from, to) -> {
          float[] flat = new float[Math.multiplyExact(to - from, width)];
          for (int r = from; r < to; r++) {
            System.arraycopy(x[r], 0, flat, (r - from) * width, width);
          }
          Tensor batch = tape.make(DType.F32, Shape.of(to - from, width));
          batch.copyFrom(MemorySegment.ofArray(flat));
          return Inputs.of(tape.cast(batch, dtype));
        });
  }

  private static Prediction of(Network network, Shape all, Source source) {
    long width = all.size(1);
    RowType row = RowType.floating(Shape.of(width));
    return of(network, (int) all.size(0), row, format("row 0 has %d values", width), source);
  }

  static Prediction of(Network network, int[][] ids) {
    int longest = (int) Shape.ofLongest(ids).size(1);
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
    }
    Shape row = Shape.of(longest);
    return of(
        network,
        ids.length,
        padded ? RowType.paddedIds(row, most + 1) : RowType.ids(row, most + 1),
        format("rows of %d ids, the largest %d in row %d", longest, most, rowOfMost),
        (tape, from, to) -> {
          int[] flat = new int[Math.multiplyExact(to - from, longest)];
          Arrays.fill(flat, RowType.PADDING);
          for (int r = from; r < to; r++) {
            System.arraycopy(ids[r], 0, flat, (r - from) * longest, ids[r].length);
          }
          Tensor batch = tape.make(DType.I32, Shape.of(to - from, longest));
          batch.copyFrom(MemorySegment.ofArray(flat));
          return Inputs.of(batch);
        });
  }

  /** Of rows in an array, of which {@code what} says what they are. */
  private static Prediction of(Network network, int rows, RowType row, String what, Source source) {
    network.arena(); // throws where the network is on no device
    return new Prediction(
        network, rows, rows == 0 ? null : output(network, Inputs.of(row), what), source);
  }

  static Prediction of(Network network, Dataset data) {
    DType dtype = network.math().dtype();
    Map<String, RowType> types = new LinkedHashMap<>();
    data.columns().forEach((name, column) -> types.put(name, column.type()));
    Inputs<RowType> inputs = Inputs.of(types);
    RowType output = output(network, inputs, "the data does not fit the network");
    return new Prediction(
        network,
        data.rows(),
        output,
        (tape, from, to) -> {
          Map<String, Tensor> batch = new LinkedHashMap<>();
          for (String name : inputs.taken()) {
            batch.put(name, upload(tape, data.column(name), dtype, from, to));
          }
          return Inputs.of(batch);
        });
  }

  private static Tensor upload(Tape tape, Column column, DType dtype, int from, int to) {
    boolean ids = column.type().isIds();
    Storage wanted = ids ? Storage.INT32 : dtype == DType.F64 ? Storage.FLOAT64 : Storage.FLOAT32;
    int count = to - from;
    Tensor batch = tape.make(wanted.dtype(), column.shape().batch(count));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment order = arena.allocate(ValueLayout.JAVA_INT, count);
      for (int i = 0; i < count; i++) {
        order.setAtIndex(ValueLayout.JAVA_INT, i, from + i);
      }
      MemorySegment values = arena.allocate(batch.bytes(), 64);
      column.gather(wanted, order, 0, count, values);
      batch.copyFrom(values);
    }
    return ids ? batch : tape.cast(batch, dtype);
  }

  private static RowType output(Network network, Inputs<RowType> inputs, String what) {
    try {
      return network.output(inputs);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(format("%s: %s", what, e.getMessage()), e);
    }
  }

  /** Outputs as they are. */
  double[][] scores() {
    return doubles((tape, y) -> y);
  }

  /** Outputs as they are. */
  float[][] floatScores() {
    return floats((tape, y) -> y);
  }

  /** Softmax of each row. */
  double[][] probabilities() {
    checkVectors("probabilities", 1);
    return doubles((tape, y) -> tape.softmax(tape.wide(y)));
  }

  /** Softmax of each row. */
  float[][] floatProbabilities() {
    checkVectors("probabilities", 1);
    return floats((tape, y) -> tape.softmax(tape.wide(y)));
  }

  /** The place of the largest output of each row, the first of equal ones. */
  int[] classes() {
    checkVectors("classes", 2);
    int[] classes = new int[rows];
    each(
        (tape, y, from) -> {
          int count = (int) y.shape().size(0);
          double[] most = tape.max(y, 1).toDoubles(); // NaN where one of the values is
          for (int r = 0; r < count; r++) {
            if (!Double.isFinite(most[r])) {
              throw new IllegalStateException(
                  format(
                      "row %d has no class: its largest output is %s; %s",
                      from + r, most[r], NotFinite.reason(network)));
            }
          }
          Tensor places = tape.make(DType.I32, Shape.of(count));
          var argmax =
              new Arguments.Argmax(
                  Engine.address(y), Engine.address(places), count, y.shape().size(1));
          Engine.run(y.device(), Kernel.ARGMAX, y.dtype().precision(), argmax);
          System.arraycopy(places.toInts(), 0, classes, from, count);
        });
    return classes;
  }

  private void checkVectors(String what, int least) {
    if (output != null && (output.shape().rank() != 1 || output.shape().size(0) < least)) {
      throw new IllegalStateException(
          format(
              "%s need %s a row, and the network gives %s: use scores",
              what, least == 1 ? "a vector of scores" : "at least 2 scores", output));
    }
  }

  private double[][] doubles(BiFunction<Tape, Tensor, Tensor> last) {
    double[][] all = new double[rows][];
    each(
        (tape, y, from) -> {
          double[] values = last.apply(tape, y).toDoubles();
          int count = (int) y.shape().size(0);
          int width = values.length / count;
          for (int r = 0; r < count; r++) {
            all[from + r] = Arrays.copyOfRange(values, r * width, (r + 1) * width);
          }
        });
    return all;
  }

  private float[][] floats(BiFunction<Tape, Tensor, Tensor> last) {
    float[][] all = new float[rows][];
    each(
        (tape, y, from) -> {
          float[] values = last.apply(tape, y).toFloats();
          int count = (int) y.shape().size(0);
          int width = values.length / count;
          for (int r = 0; r < count; r++) {
            all[from + r] = Arrays.copyOfRange(values, r * width, (r + 1) * width);
          }
        });
    return all;
  }

  private void each(Reader reader) {
    Device device = network.arena().values().device();
    for (int from = 0; from < rows; from += ROWS) {
      try (Tape tape = Tape.inference(device)) {
        tape.math(network.math());
        Tensor y = network.forward(tape, source.batch(tape, from, Math.min(rows, from + ROWS)));
        reader.read(tape, y, from);
      }
    }
  }
}
