// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.data.Column;

/** Weights for the classes of a {@link SoftmaxCrossEntropy} or {@link MultiClassHinge}. */
public final class ClassWeights {
  private ClassWeights() {}

  /**
   * rows / (classes count_c) for each class c, as scikit-learn's {@code balanced}: all classes
   * count alike together, however many rows each has. Rows without a label are not counted.
   *
   * @throws IllegalArgumentException where the column has no labels, or a class no row
   */
  public static double[] balanced(Column labels) {
    if (!labels.type().isIds() || labels.width() != 1) {
      throw new IllegalArgumentException(
          format("classes are balanced by a label a row, not by %s", labels.type()));
    }
    long[] counts = new long[labels.type().below()];
    long rows = 0;
    for (int r = 0; r < labels.rows(); r++) {
      int label = (int) labels.get(r, 0);
      if (label >= 0) {
        counts[label]++;
        rows++;
      }
    }
    double[] weights = new double[counts.length];
    for (int c = 0; c < counts.length; c++) {
      if (counts[c] == 0) {
        throw new IllegalArgumentException(
            format(
                "class %d of %d has no row among %d, so that no weight balances it",
                c, counts.length, labels.rows()));
      }
      weights[c] = rows / ((double) counts.length * counts[c]);
    }
    return weights;
  }

  /** The same of labels 0 to the largest. */
  public static double[] balanced(int... labels) {
    return balanced(Column.ids(labels));
  }
}
