// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

/**
 * SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014), written
 * out so that data made from a seed is the same on every machine and in every JDK.
 *
 * <p>state += 0x9E3779B97F4A7C15; output = mix(state). A generator belongs to a (seed, stream)
 * pair: streams of one seed are unrelated, so example i or epoch e can be made without those before
 * it.
 */
final class SplitMix64 {
  private static final long GAMMA = 0x9E3779B97F4A7C15L;

  private long state;

  SplitMix64(long seed, long stream) {
    state = mix(seed + GAMMA) ^ mix(mix(stream) + 2 * GAMMA);
  }

  long nextLong() {
    state += GAMMA;
    return mix(state);
  }

  /** Uniform on 0..bound-1, without bias (Lemire 2019). */
  int nextInt(int bound) {
    long product = (nextLong() >>> 32) * bound;
    if ((int) product + Integer.MIN_VALUE < bound + Integer.MIN_VALUE) {
      int threshold = Integer.remainderUnsigned(-bound, bound);
      while ((int) product + Integer.MIN_VALUE < threshold + Integer.MIN_VALUE) {
        product = (nextLong() >>> 32) * bound;
      }
    }
    return (int) (product >>> 32);
  }

  /** Uniform on [0, 1), a multiple of 2^-53. */
  double nextDouble() {
    return (nextLong() >>> 11) * 0x1p-53;
  }

  double uniform(double from, double to) {
    return from + (to - from) * nextDouble();
  }

  /** N(0, 1) by Box and Muller. */
  double nextGaussian() {
    double radius = StrictMath.sqrt(-2 * StrictMath.log(1 - nextDouble()));
    return radius * StrictMath.cos(2 * StrictMath.PI * nextDouble());
  }

  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
