// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import static dev.weft.format.Format.format;

import java.util.Arrays;

/**
 * Examples to learn from: features (rows, columns), and for each row its class or the numbers to be
 * predicted. Checked when made, immutable, held off the heap, freed when no longer reachable.
 */
public final class Dataset {
  private final Rows features;
  private final Targets targets;

  private Dataset(Rows features, Targets targets) {
    this.features = features;
    this.targets = targets;
  }

  /**
   * Examples of features and targets.
   *
   * @throws IllegalArgumentException if they differ in the number of rows
   */
  public static Dataset of(Rows features, Targets targets) {
    if (features.rows() != targets.rows()) {
      throw new IllegalArgumentException(
          format(
              "%d rows of features, %d %s",
              features.rows(),
              targets.rows(),
              targets instanceof Labels ? "labels" : "rows of targets"));
    }
    return new Dataset(features, targets);
  }

  /** For classification, in float32; as many classes as the largest label needs. */
  public static Dataset of(float[][] features, int[] labels) {
    return of(Rows.of(features), Labels.of(labels));
  }

  /** For classification, in float32, with labels in 0..classes-1. */
  public static Dataset of(float[][] features, int[] labels, int classes) {
    return of(Rows.of(features), Labels.of(labels, classes));
  }

  /** For classification, in float64; as many classes as the largest label needs. */
  public static Dataset of(double[][] features, int[] labels) {
    return of(Rows.of(features), Labels.of(labels));
  }

  /** For classification, in float64, with labels in 0..classes-1. */
  public static Dataset of(double[][] features, int[] labels, int classes) {
    return of(Rows.of(features), Labels.of(labels, classes));
  }

  /** For regression, in float32. */
  public static Dataset of(float[][] features, float[][] targets) {
    return of(Rows.of(features), Rows.of(targets));
  }

  /** For regression, in float64. */
  public static Dataset of(double[][] features, double[][] targets) {
    return of(Rows.of(features), Rows.of(targets));
  }

  /** The features, (rows, columns). */
  public Rows features() {
    return features;
  }

  /** {@link Labels} for classification, {@link Rows} for regression. */
  public Targets targets() {
    return targets;
  }

  /** The number of examples. */
  public int rows() {
    return features.rows();
  }

  /** The number of features of an example. */
  public int columns() {
    return features.columns();
  }

  /** The shape of one example, [28, 28] for an image; its product is {@link #columns}. */
  public int[] shape() {
    return features.shape();
  }

  /**
   * The class of each row.
   *
   * @throws IllegalStateException if the targets are numbers
   */
  public Labels labels() {
    if (targets instanceof Labels labels) {
      return labels;
    }
    throw new IllegalStateException("these examples have numbers as targets, not classes");
  }

  /** The number of classes; throws as {@link #labels} does. */
  public int classes() {
    return labels().classes();
  }

  /** The same examples with features read as scale * stored + shift; see {@link Rows#scaled}. */
  public Dataset scaled(double scale, double shift) {
    return new Dataset(features.scaled(scale, shift), targets);
  }

  /** Examples {@code from} (inclusive) to {@code to} (exclusive), sharing this memory. */
  public Dataset slice(int from, int to) {
    return new Dataset(features.slice(from, to), targets.slice(from, to));
  }

  /**
   * Shuffles and divides: round(fraction * rows) examples into {@link Split#train}, the others into
   * {@link Split#test}; each example is in exactly one of them. The same seed gives the same split.
   *
   * @throws IllegalArgumentException if either part would be empty
   */
  public Split split(double fraction, long seed) {
    long first = Math.round(fraction * rows());
    if (!(fraction > 0 && fraction < 1) || first < 1 || first >= rows()) {
      throw new IllegalArgumentException(
          format("a fraction of %s of %d rows leaves a part empty", fraction, rows()));
    }
    int[] order = BatchOrder.permutation(rows(), new SplitMix64(seed, SPLIT_STREAM));
    return new Split(
        select(Arrays.copyOfRange(order, 0, (int) first)),
        select(Arrays.copyOfRange(order, (int) first, rows())));
  }

  // Away from the streams 0, 1, 2, ... of the epochs, so that one seed can serve both.
  private static final long SPLIT_STREAM = Long.MIN_VALUE;

  private Dataset select(int[] order) {
    return new Dataset(features.select(order), targets.select(order));
  }

  @Override
  public String toString() {
    return "Dataset(" + features + ", " + targets + ")";
  }
}
