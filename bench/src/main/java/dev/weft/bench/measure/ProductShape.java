// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.measure;

import static dev.weft.format.Format.format;

import dev.weft.MathMode;
import dev.weft.bench.peer.Target;

/** Products that are timed: (m, k) times (k, n). */
public enum ProductShape {
  M64_K1000_N100(64, 1000, 100),
  M128_K784_N512(128, 784, 512),
  M512_K1024_N1024(512, 1024, 1024),
  M1024_K2048_N2048(1024, 2048, 2048),
  M256_K512_N10000(256, 512, 10000),
  M4096_K4096_N4096(4096, 4096, 4096),
  M8192_K8192_N8192(8192, 8192, 8192);

  private static final double LARGEST_ON_CPU = 2e11;

  private final int m;
  private final int k;
  private final int n;

  ProductShape(int m, int k, int n) {
    this.m = m;
    this.k = k;
    this.n = n;
  }

  int m() {
    return m;
  }

  int k() {
    return k;
  }

  int n() {
    return n;
  }

  /** Whether it takes less than seconds there. */
  public boolean suits(Target target) {
    return target == Target.CUDA || flops() < LARGEST_ON_CPU;
  }

  /** Multiplications and additions. */
  public double flops() {
    return 2.0 * m * k * n;
  }

  /** Bytes of both operands and the result, each moved once. */
  public double bytes(MathMode mode) {
    return mode.dtype().bytes() * ((double) m * k + (double) k * n + (double) m * n);
  }

  @Override
  public String toString() {
    return format("%d x %d x %d", m, k, n);
  }
}
