// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import static dev.weft.format.Format.format;

/**
 * Small sets of points in the plane, float32, on which models of different kinds succeed and fail.
 * Noise is the standard deviation of a normal displacement of each coordinate. Classes take turns:
 * row i has label i mod classes.
 */
public final class ToySets {
  private ToySets() {}

  /** The four corners of the unit square with x0 XOR x1 as label: no line parts them. */
  public static Dataset xor() {
    return Dataset.of(new float[][] {{0, 0}, {0, 1}, {1, 0}, {1, 1}}, new int[] {0, 1, 1, 0}, 2);
  }

  /** Normal clouds of deviation {@code noise}, their centres evenly on a circle of radius 3. */
  public static Dataset blobs(int count, int classes, double noise, long seed) {
    return points(
        count,
        classes,
        noise,
        seed,
        (label, random) -> polar(3, 2 * StrictMath.PI * label / classes));
  }

  /** A circle of radius 0.5 (label 1) inside one of radius 1 (label 0). */
  public static Dataset circles(int count, double noise, long seed) {
    return points(
        count,
        2,
        noise,
        seed,
        (label, random) ->
            polar(label == 0 ? 1 : 0.5, random.uniform(-StrictMath.PI, StrictMath.PI)));
  }

  /** Two half circles of radius 1, the second turned over and pushed into the first. */
  public static Dataset moons(int count, double noise, long seed) {
    return points(
        count,
        2,
        noise,
        seed,
        (label, random) -> {
          double[] point = polar(1, random.uniform(0, StrictMath.PI));
          return label == 0 ? point : new double[] {1 - point[0], 0.5 - point[1]};
        });
  }

  /** Arms that wind once around the origin while they go out from radius 0.1 to 1. */
  public static Dataset spirals(int count, int classes, double noise, long seed) {
    return points(
        count,
        classes,
        noise,
        seed,
        (label, random) -> {
          double along = random.nextDouble();
          return polar(0.1 + 0.9 * along, 2 * StrictMath.PI * (along + (double) label / classes));
        });
  }

  private interface Curve {
    double[] point(int label, SplitMix64 random);
  }

  private static Dataset points(int count, int classes, double noise, long seed, Curve curve) {
    if (classes < 1 || count < classes) {
      throw new IllegalArgumentException(
          format("%d points cannot fill %d classes", count, classes));
    }
    if (!(noise >= 0 && noise < Float.MAX_VALUE)) {
      throw new IllegalArgumentException("noise must be 0 or more and finite, got " + noise);
    }
    float[][] points = new float[count][];
    int[] labels = new int[count];
    for (int i = 0; i < count; i++) {
      SplitMix64 random = new SplitMix64(seed, i);
      labels[i] = i % classes;
      double[] point = curve.point(labels[i], random);
      points[i] =
          new float[] {
            (float) (point[0] + noise * random.nextGaussian()),
            (float) (point[1] + noise * random.nextGaussian())
          };
    }
    return Dataset.of(points, labels, classes);
  }

  private static double[] polar(double radius, double angle) {
    return new double[] {radius * StrictMath.cos(angle), radius * StrictMath.sin(angle)};
  }
}
