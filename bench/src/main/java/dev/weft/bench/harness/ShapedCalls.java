// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.harness;

import static dev.weft.bench.harness.KernelCall.COLS;
import static dev.weft.bench.harness.KernelCall.ROWS;
import static dev.weft.format.Format.format;

import dev.weft.device.Arguments;
import dev.weft.device.Arguments.Gemm;
import dev.weft.device.Nonlinearity;
import dev.weft.device.ReductionFunction;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Calls of kernels whose way through their code depends on the shape: some of each way. */
final class ShapedCalls {
  private ShapedCalls() {}

  /** Every activation; columns that packs divide and others, one part and several. */
  static List<KernelCall> biasGradients() {
    List<KernelCall> cases = new ArrayList<>();
    for (int[] shape : new int[][] {{ROWS, COLS, 1}, {ROWS, 64, 1}, {131, 36, 3}, {70, 13, 2}}) {
      int rows = shape[0];
      int cols = shape[1];
      int parts = shape[2];
      for (Nonlinearity activation : Nonlinearity.values()) {
        int f = activation.ordinal();
        cases.add(
            new KernelCall(
                format("operation %d of (%d, %d) in %d parts", f, rows, cols, parts),
                m ->
                    new Arguments.BiasActivationGradients(
                        m.signed(rows * cols, 1),
                        m.signed(cols, 2),
                        m.reals(rows * cols, 3),
                        m.signed(rows * cols, 4),
                        m.zeros(rows * cols),
                        m.wideSigned(parts * cols, 5),
                        rows,
                        cols,
                        parts,
                        activation,
                        0.1,
                        f % 2 == 1)));
      }
    }
    return cases;
  }

  /** Rows for one to eight warps of the GPU, rows that its registers do not hold, and in place. */
  static List<KernelCall> softmaxes() {
    List<KernelCall> cases = new ArrayList<>();
    for (int classes : new int[] {3, COLS, 301, 1000, 1501, 4001, 12_345}) {
      int rows = classes > 1000 ? 3 : ROWS;
      for (boolean inPlace : new boolean[] {false, true}) {
        cases.add(
            new KernelCall(
                format("%d classes%s", classes, inPlace ? " in place" : ""),
                m -> {
                  long x = m.signed(rows * classes, 1);
                  return new Arguments.SoftmaxCrossEntropy(
                      x,
                      m.ints(rows, classes, 2),
                      m.wide(new double[rows]),
                      inPlace ? x : m.zeros(rows * classes),
                      m.wide(new double[rows]),
                      rows,
                      classes,
                      0.1,
                      0.5);
                }));
      }
    }
    return cases;
  }

  /** Rows for eight lanes to eight warps of the GPU, and rows that its registers do not hold. */
  static List<KernelCall> layerNorms(boolean forward) {
    List<KernelCall> cases = new ArrayList<>();
    for (int cols : new int[] {3, COLS, 300, 1000, 1501, 4001, 5000, 12_345}) {
      int rows = cols > 1000 ? 3 : ROWS;
      int n = rows * cols;
      int parts = cols % 2 == 0 ? 2 : 1;
      boolean add = cols % 3 == 0;
      cases.add(
          new KernelCall(
              format("%d columns", cols),
              m ->
                  forward
                      ? new Arguments.LayerNormForward(
                          m.signed(n, 1),
                          m.signed(cols, 2),
                          m.signed(cols, 3),
                          m.zeros(n),
                          m.wide(new double[rows]),
                          m.wide(new double[rows]),
                          rows,
                          cols,
                          1e-5)
                      : new Arguments.LayerNormBackward(
                          m.signed(n, 1),
                          m.signed(cols, 2),
                          m.wideSigned(rows, 3),
                          m.wideSigned(rows, 4),
                          m.signed(n, 5),
                          m.signed(n, 6),
                          m.wideSigned(parts * cols, 7),
                          m.wideSigned(parts * cols, 8),
                          rows,
                          cols,
                          parts,
                          add,
                          add,
                          !add)));
    }
    return cases;
  }

  /** Columns, and rows for a warp and for a block, by every operation. */
  static List<KernelCall> reductions() {
    int parts = 2;
    List<KernelCall> cases = new ArrayList<>();
    for (int[] shape : new int[][] {{3, 7, 11}, {3, 70, 12}, {37, 53, 1}, {5, 9001, 1}}) {
      int outputs = parts * shape[0] * shape[2];
      for (ReductionFunction function : ReductionFunction.values()) {
        int f = function.ordinal();
        cases.add(
            new KernelCall(
                format("operation %d of (%d, %d, %d)", f, shape[0], shape[1], shape[2]),
                m ->
                    new Arguments.Reduce(
                        m.signed(shape[0] * shape[1] * shape[2], 1),
                        m.wideSigned(outputs, 2),
                        shape[0],
                        shape[1],
                        shape[2],
                        parts,
                        function,
                        0.5,
                        f == 0)));
      }
    }
    return cases;
  }

  /** Rows of any length, and of whole accesses. */
  static KernelCall gather(int cols) {
    return new KernelCall(
        cols + " columns",
        m ->
            new Arguments.GatherRows(
                m.signed(ROWS * cols, 1),
                m.ints(20, ROWS + 2, 2),
                m.state(),
                m.zeros(10 * cols),
                10,
                cols,
                ROWS,
                2,
                1));
  }

  static KernelCall gatherBytes(int cols) {
    return new KernelCall(
        cols + " columns",
        m ->
            new Arguments.GatherRows(
                m.ints((ROWS * cols + 3) / 4, Integer.MAX_VALUE, 1),
                m.ints(20, ROWS + 2, 2),
                m.state(),
                m.zeros(10 * cols),
                10,
                cols,
                ROWS,
                1 / 255.0,
                -0.5));
  }

  static KernelCall scatter(int cols) {
    return new KernelCall(
        cols + " columns",
        m ->
            new Arguments.GatherRowsBackward(
                m.ints(20, 6, 2),
                m.signed(20 * cols, 1),
                m.wideSigned(5 * cols, 3),
                20,
                cols,
                5,
                2));
  }

  /** Values that come more than once. */
  static KernelCall argmax(int cols) {
    return new KernelCall(
        cols + " columns",
        m -> {
          double[] values = new double[ROWS * cols];
          for (int i = 0; i < values.length; i++) {
            values[i] = (i * 7919L) % 97;
          }
          return new Arguments.Argmax(m.reals(values), m.ints(ROWS, 9, 2), ROWS, cols);
        });
  }

  static KernelCall transpose(int rows, int cols) {
    return new KernelCall(
        format("(%d, %d)", rows, cols),
        m ->
            new Arguments.Transpose(
                m.signed(rows * cols, 1), m.signed(rows * cols, 2), rows, cols, true));
  }

  /** Maxima of columns or, with inner 1, of rows; every third entry is the largest. */
  static KernelCall maxBackward(int inner, int count, boolean accumulate) {
    int outputs = 3 * inner;
    return new KernelCall(
        format("inner %d, %d entries", inner, count),
        m -> {
          double[] values = new double[count * outputs];
          for (int i = 0; i < values.length; i++) {
            values[i] = i % 3 == 0 ? 2 : i % 2;
          }
          double[] largest = new double[outputs];
          Arrays.fill(largest, 2);
          return new Arguments.MaxBackward(
              m.reals(values),
              m.wide(largest),
              m.wideSigned(outputs, 2),
              m.signed(count * outputs, 3),
              3,
              count,
              inner,
              accumulate);
        });
  }

  /** A small product, and one whose right operand the CPU lays out anew. */
  static List<KernelCall> gemms() {
    List<KernelCall> cases = new ArrayList<>(gemms(5, 7, 11));
    cases.addAll(gemms(800, 70, 37));
    return cases;
  }

  /** Both transposes of each side, rows that are not adjacent, alpha and beta. */
  private static List<KernelCall> gemms(int rows, int cols, int inner) {
    List<KernelCall> cases = new ArrayList<>();
    for (boolean ta : new boolean[] {false, true}) {
      for (boolean tb : new boolean[] {false, true}) {
        int lda = (ta ? rows : inner) + 2;
        int ldb = (tb ? inner : cols) + 3;
        int ldc = cols + 1;
        for (boolean wide : new boolean[] {false, true}) {
          cases.add(
              new KernelCall(
                  format(
                      "%d x %d x %d transpose a %s, b %s, c wide %s",
                      rows, inner, cols, ta, tb, wide),
                  m ->
                      new Gemm(
                          m.signed((ta ? inner : rows) * lda, 1),
                          m.signed((tb ? cols : inner) * ldb, 2),
                          wide ? m.wideSigned(rows * ldc, 3) : m.signed(rows * ldc, 3),
                          rows,
                          cols,
                          inner,
                          lda,
                          ldb,
                          ldc,
                          ta,
                          tb,
                          1.5,
                          0.5,
                          false,
                          wide)));
        }
      }
    }
    return cases;
  }
}
