// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

/** Products that are timed: (m, k) times (k, n). */
public enum GemmShape {
  M64_K1000_N100(64, 1000, 100),
  M128_K784_N512(128, 784, 512),
  M512_K1024_N1024(512, 1024, 1024),
  M1024_K2048_N2048(1024, 2048, 2048),
  M256_K512_N10000(256, 512, 10000);

  private final int m;
  private final int k;
  private final int n;

  GemmShape(int m, int k, int n) {
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

  /** Multiplications and additions. */
  double flops() {
    return 2.0 * m * k * n;
  }

  @Override
  public String toString() {
    return "%d x %d x %d".formatted(m, k, n);
  }
}
