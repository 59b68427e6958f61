// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;

/** A matrix in plain Java, for gradients by hand: nothing of what is checked. */
record PlainMatrix(int rows, int cols, double[] values) {

  private interface Entry {
    double at(int row, int col);
  }

  private static PlainMatrix of(int rows, int cols, Entry entry) {
    double[] values = new double[rows * cols];
    Arrays.setAll(values, i -> entry.at(i / cols, i % cols));
    return new PlainMatrix(rows, cols, values);
  }

  double at(int row, int col) {
    return values[row * cols + col];
  }

  PlainMatrix times(PlainMatrix b) {
    return of(
        rows,
        b.cols,
        (row, col) -> {
          double sum = 0;
          for (int k = 0; k < cols; k++) {
            sum += at(row, k) * b.at(k, col);
          }
          return sum;
        });
  }

  PlainMatrix transposed() {
    return of(cols, rows, (row, col) -> at(col, row));
  }

  /** A vector is added to every row. */
  PlainMatrix plus(double[] vector) {
    return of(rows, cols, (row, col) -> at(row, col) + vector[col]);
  }

  PlainMatrix minus(PlainMatrix b) {
    return of(rows, cols, (row, col) -> at(row, col) - b.at(row, col));
  }

  /** Element by element. */
  PlainMatrix with(PlainMatrix b) {
    return of(rows, cols, (row, col) -> at(row, col) * b.at(row, col));
  }

  PlainMatrix map(DoubleUnaryOperator f) {
    return of(rows, cols, (row, col) -> f.applyAsDouble(at(row, col)));
  }

  double[] rowSums() {
    double[] sums = new double[rows];
    for (int i = 0; i < values.length; i++) {
      sums[i / cols] += values[i];
    }
    return sums;
  }

  double[] columnSums() {
    return transposed().rowSums();
  }

  PlainMatrix softmax() {
    PlainMatrix powers = map(Math::exp);
    double[] sums = powers.rowSums();
    return of(rows, cols, (row, col) -> powers.at(row, col) / sums[row]);
  }

  /** 1 at each row's label, else 0. */
  static PlainMatrix oneHot(double[] labels, int classes) {
    return of(labels.length, classes, (row, col) -> labels[row] == col ? 1 : 0);
  }
}
