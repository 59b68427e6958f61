// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

/**
 * Vectors made orthonormal, on the host in float64: Gram and Schmidt's process, each step twice.
 */
final class Orthogonal {
  private Orthogonal() {}

  /**
   * Takes from each vector its parts along those before it, and divides it by its length. Of normal
   * values the result is evenly distributed over all such sets (Saxe, McClelland and Ganguli 2014).
   */
  static void orthonormalize(double[][] vectors) {
    for (int i = 0; i < vectors.length; i++) {
      double[] v = vectors[i];
      for (int pass = 0; pass < 2; pass++) { // the second takes what roundings of the first left
        for (int j = 0; j < i; j++) {
          add(v, -dot(v, vectors[j]), vectors[j]);
        }
        double length = Math.sqrt(dot(v, v));
        for (int k = 0; k < v.length; k++) {
          v[k] /= length;
        }
      }
    }
  }

  private static double dot(double[] a, double[] b) {
    double even = 0;
    double odd = 0;
    int k = 0;
    for (; k + 1 < a.length; k += 2) {
      even += a[k] * b[k];
      odd += a[k + 1] * b[k + 1];
    }
    return k < a.length ? even + odd + a[k] * b[k] : even + odd;
  }

  private static void add(double[] to, double factor, double[] from) {
    for (int k = 0; k < to.length; k++) {
      to[k] += factor * from[k];
    }
  }
}
