// SPDX-License-Identifier: Apache-2.0
package dev.weft.support;

import java.math.BigInteger;

/**
 * Philox4x32-10 written a second time, after the paper (Salmon et al. 2011, section 3.3) and over
 * big integers, as an oracle for the kernels.
 */
public final class Philox {
  private static final BigInteger M0 = new BigInteger("D2511F53", 16);
  private static final BigInteger M1 = new BigInteger("CD9E8D57", 16);
  private static final int W0 = 0x9E3779B9;
  private static final int W1 = 0xBB67AE85;

  private Philox() {}

  /** The block at a counter under a key: four unsigned 32-bit words. */
  public static int[] block(int[] counter, int key0, int key1) {
    int[] c = counter.clone();
    for (int round = 0; round < 10; round++) {
      BigInteger p0 = M0.multiply(BigInteger.valueOf(Integer.toUnsignedLong(c[0])));
      BigInteger p1 = M1.multiply(BigInteger.valueOf(Integer.toUnsignedLong(c[2])));
      int k0 = key0 + round * W0;
      int k1 = key1 + round * W1;
      c =
          new int[] {
            p1.shiftRight(32).intValue() ^ c[1] ^ k0,
            p1.intValue(),
            p0.shiftRight(32).intValue() ^ c[3] ^ k1,
            p0.intValue()
          };
    }
    return c;
  }

  /** The word of one element of one operation in one step, as an unsigned number. */
  public static long word(long seed, long step, int operation, int element) {
    int[] counter = {element / 4, operation, (int) step, (int) (step >>> 32)};
    int[] block = block(counter, (int) seed, (int) (seed >>> 32));
    return Integer.toUnsignedLong(block[element % 4]);
  }

  /** What dropout multiplies each element with: 0 or 1 / (1 - rate). */
  public static double[] dropoutFactors(long seed, long step, int operation, int n, double rate) {
    double[] factors = new double[n];
    for (int i = 0; i < n; i++) {
      boolean dropped = word(seed, step, operation, i) < Math.floor(rate * 4294967296.0);
      factors[i] = dropped ? 0 : 1 / (1 - rate);
    }
    return factors;
  }
}
