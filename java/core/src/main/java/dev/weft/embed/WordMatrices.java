// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import dev.weft.device.Precision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The two matrices of a training, which owns them: their rows are whole cache lines. */
final class WordMatrices {
  private static final int LINE = 16; // floats
  private static final int DRAWN = 1 << 22; // floats at a time

  private final Device device;
  private final int dimension;
  private final Tensor input;
  private final Tensor output;

  /** Of two that {@link #zeros} made. */
  WordMatrices(Device device, int dimension, Tensor input, Tensor output) {
    this.device = device;
    this.dimension = dimension;
    this.input = input;
    this.output = output;
  }

  static Tensor zeros(Device device, int rows, int dimension, String name) {
    long cols = (dimension + LINE - 1) / LINE * LINE;
    return device.zeros(DType.F32, Shape.of(rows, cols)).named(name);
  }

  /** A row for each word. */
  Tensor input() {
    return input;
  }

  /** A row for each word, or inner node of the tree. */
  Tensor output() {
    return output;
  }

  /**
   * Input rows from {@code first} on: U(-1/2d, 1/2d), d being the dimension. They are drawn some at
   * a time, by their places in the whole matrix.
   */
  void draw(int first, long seed) {
    double most = 0.5 / dimension;
    long cols = input.shape().size(1);
    int words = (int) input.shape().size(0);
    int part = Math.max(1, DRAWN / dimension);
    int least = Math.min(part, words);
    try (Tensor drawn = device.allocate(DType.F32, Shape.of(least, dimension))) {
      for (int from = first / part * part; from < words; from += part) {
        Engine.run(
            device,
            Kernel.RANDOM_UNIFORM,
            Precision.F32,
            new Arguments.Random(
                Engine.address(drawn), drawn.elements(), seed, -1, from / part, -most, most));
        int row = Math.max(first, from);
        copyRows(
            Engine.address(drawn) + (long) (row - from) * dimension * Float.BYTES,
            Engine.address(input) + row * cols * Float.BYTES,
            Math.min(from + least, words) - row,
            dimension,
            cols);
      }
    }
  }

  /**
   * Rows from those of a model.
   *
   * @param first the output row that its first one becomes
   */
  void fill(Word2VecModel from, int first) {
    fill(input, 0, from.input(), from.vocabulary().size());
    fill(output, first, from.output(), from.outputs());
  }

  private void fill(Tensor matrix, int first, MemorySegment rows, int count) {
    long cols = matrix.shape().size(1);
    long to = Engine.address(matrix) + first * cols * Float.BYTES;
    copyRows(rows.address(), to, count, dimension, cols);
  }

  /** A copy of a matrix's numbers, one row behind the other. */
  MemorySegment rows(Tensor matrix, Arena arena) {
    long count = matrix.shape().size(0);
    MemorySegment rows = arena.allocate(count * dimension * Float.BYTES, Float.BYTES);
    copyRows(Engine.address(matrix), rows.address(), count, matrix.shape().size(1), dimension);
    return rows;
  }

  private void copyRows(long from, long to, long count, long fromCols, long toCols) {
    Engine.run(
        device,
        Kernel.COPY_ROWS,
        Precision.F32,
        new Arguments.CopyRows(from, to, count, dimension, fromCols, toCols, 1, false));
  }

  /** The matrix that has a number which is not finite; null where all are. */
  @Nullable Tensor notFinite() {
    for (Tensor matrix : List.of(input, output)) {
      try (Arena arena = Arena.ofConfined()) {
        long most = Math.min(DRAWN, matrix.elements());
        MemorySegment part = arena.allocate(most * Float.BYTES, Float.BYTES);
        for (long from = 0; from < matrix.elements(); from += most) {
          long count = Math.min(most, matrix.elements() - from);
          matrix.view(from, Shape.of(count)).copyTo(part.asSlice(0, count * Float.BYTES));
          for (long i = 0; i < count; i++) {
            if (!Float.isFinite(part.getAtIndex(ValueLayout.JAVA_FLOAT, i))) {
              return matrix;
            }
          }
        }
      }
    }
    return null;
  }

  /** The vector of a word. */
  float[] row(int word) {
    long cols = input.shape().size(1);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment row = arena.allocate(cols * Float.BYTES, Float.BYTES);
      input.view(word * cols, Shape.of(cols)).copyTo(row);
      return row.asSlice(0, (long) dimension * Float.BYTES).toArray(ValueLayout.JAVA_FLOAT);
    }
  }
}
