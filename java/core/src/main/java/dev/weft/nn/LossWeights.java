// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;
import dev.weft.data.Column;
import dev.weft.op.LabelWeights;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Function;

/**
 * How much the rows of a loss count: by their class, by a column of the data, not at all where they
 * have a certain label. The weight of a row is the product of what is given.
 *
 * @param classes a weight for each class; empty where classes count alike
 * @param column the column of the rows' own weights; empty where there is none
 * @param ignored the label of rows that count nothing: a class, {@link RowType#PADDING}, or a
 *     number that is no class
 */
public record LossWeights(List<Double> classes, String column, OptionalInt ignored) {
  /** All rows count alike. */
  public static final LossWeights EQUAL = new LossWeights(List.of(), "", OptionalInt.empty());

  /**
   * Checks the weights of classes.
   *
   * @throws IllegalArgumentException where one is negative, NaN or infinite, or all are 0
   */
  public LossWeights {
    classes = List.copyOf(classes);
    for (int c = 0; c < classes.size(); c++) {
      double weight = classes.get(c);
      if (!(weight >= 0 && weight < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            format("the weight of class %d is %s: it must be finite and at least 0", c, weight));
      }
    }
    if (!classes.isEmpty() && Collections.max(classes) == 0) {
      throw new IllegalArgumentException(
          format("all %d classes have the weight 0, so that no row counts", classes.size()));
    }
  }

  /**
   * Weights of classes, rows / (classes count_c) for each class c, as scikit-learn's {@code
   * balanced}: all classes count alike together, however many rows each has. Rows without a label
   * are not counted.
   *
   * @throws IllegalArgumentException where the column has no labels, or a class no row
   */
  public static double[] balanced(Column labels) {
    return balanced(labels, labels.type().below());
  }

  /**
   * The same of classes 0 to {@code classes} - 1: rows of other labels, such as an ignored 255, are
   * not counted.
   *
   * @throws IllegalArgumentException as {@link #balanced(Column)}
   */
  public static double[] balanced(Column labels, int classes) {
    if (!labels.type().isIds() || labels.width() != 1) {
      throw new IllegalArgumentException(
          format("classes are balanced by a label a row, not by %s", labels.type()));
    }
    long[] counts = new long[classes];
    long rows = 0;
    for (int r = 0; r < labels.rows(); r++) {
      int label = (int) labels.get(r, 0);
      if (label >= 0 && label < classes) {
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

  /** Weights of classes that balance labels 0 to the largest, see {@link #balanced(Column)}. */
  public static double[] balanced(int... labels) {
    return balanced(Column.ids(labels));
  }

  /** The same with other weights of classes. */
  LossWeights classes(double... weights) {
    return new LossWeights(Arrays.stream(weights).boxed().toList(), column, ignored);
  }

  /** The same with rows that are weighted by a column. */
  LossWeights column(String name) {
    return new LossWeights(classes, name, ignored);
  }

  /** The same without the rows of a label. */
  LossWeights ignoring(int label) {
    return new LossWeights(classes, column, OptionalInt.of(label));
  }

  /** The same with all classes counting alike. */
  LossWeights ofRowsAlone() {
    return new LossWeights(List.of(), column, ignored);
  }

  /** Whether all rows count alike. */
  public boolean isEqual() {
    return equals(EQUAL);
  }

  /** Whether a row's weight depends on its label. */
  private boolean isOfLabels() {
    return !classes.isEmpty() || ignored.isPresent();
  }

  /** Checks that there are as many weights as classes, and a number for each row. */
  void check(String loss, int of, Inputs<RowType> data) {
    if (!classes.isEmpty() && classes.size() != of) {
      throw new IllegalArgumentException(
          format(
              "%s has weights of %d classes, and the network gives %d", loss, classes.size(), of));
    }
    if (!column.isEmpty()) {
      RowType weights = data.get(column);
      if (weights.isIds() || weights.shape().elements() != 1) {
        throw new IllegalArgumentException(
            format("%s needs a weight a row, and %s has %s", loss, column, weights));
      }
    }
  }

  /** Checks the values of the columns: no weight is negative, and some row counts. */
  void checkValues(String loss, Function<String, Column> columns, String target) {
    if (isEqual()) {
      return;
    }
    Column labels = isOfLabels() ? columns.apply(target) : null;
    Column weights = column.isEmpty() ? null : columns.apply(column);
    int rows = columns.apply(column.isEmpty() ? target : column).rows();
    boolean counts = false;
    for (int r = 0; r < rows; r++) {
      double weight = weights == null ? 1 : weights.get(r, 0);
      if (weight < 0) {
        throw new IllegalArgumentException(
            format("%s: row %d of %s is %s, and weights are at least 0", loss, r, column, weight));
      }
      counts |= weight > 0 && (labels == null || countsLabel((int) labels.get(r, 0)));
    }
    if (!counts) {
      throw new IllegalArgumentException(
          format(
              "%s: none of %d rows counts: each is ignored, of a class of weight 0, or of weight 0",
              loss, rows));
    }
  }

  private boolean countsLabel(int label) {
    boolean known = label >= 0 && label < classes.size();
    return !(ignored.isPresent() && ignored.getAsInt() == label)
        && !(known && classes.get(label) == 0);
  }

  /** The name of the table of classes, among a loss's constants. */
  private String name(int of) {
    return format("weights of %s classes %s", of, classes);
  }

  private double[] table(int of) {
    double[] table = new double[of];
    Arrays.setAll(table, c -> classes.isEmpty() ? 1 : classes.get(c));
    return table;
  }

  /** The table of classes, where a row's weight depends on its label. */
  Map<String, double[]> constants(int of) {
    return isOfLabels() ? Map.of(name(of), table(of)) : Map.of();
  }

  /** The table of the classes that the outputs (rows, classes) have, on the device. */
  Tensor table(Operations operations, Tensor output, Inputs<Tensor> data) {
    int of = (int) output.shape().size(-1);
    return WeightedLoss.constant(operations, data, name(of), output, table(of));
  }

  /** The weights of the rows of a batch, (rows) of the wide type; not all rows count alike. */
  Tensor ofRows(Operations operations, Tensor output, Tensor target, Inputs<Tensor> data) {
    return operations.withoutGradient(
        () -> {
          long rows = target.shape().size(0);
          Tensor own =
              column.isEmpty() ? null : operations.reshape(operations.wide(data.get(column)), rows);
          LabelWeights weights = new LabelWeights(ignored);
          if (own == null) {
            return operations.apply(weights, target, table(operations, output, data));
          }
          return isOfLabels()
              ? operations.apply(weights, target, table(operations, output, data), own)
              : own;
        });
  }
}
