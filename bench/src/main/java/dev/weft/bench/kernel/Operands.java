// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.kernel;

/**
 * Addresses of what a kernel works on.
 *
 * @param x matrix (rows, cols), as y, z and w are
 * @param b (cols)
 * @param half (rows, cols), bfloat16
 * @param pixels (rows, cols), bytes
 * @param labels (rows), integers less than cols
 * @param found (rows), integers that a kernel writes
 * @param order (rows), each row once
 * @param state of a training program
 */
record Operands(
    KernelSize size,
    long x,
    long y,
    long z,
    long w,
    long b,
    long half,
    long pixels,
    long labels,
    long found,
    long order,
    long state) {

  /** Addresses that are not 0, of nothing: to count with. */
  static Operands nowhere(KernelSize size) {
    return new Operands(size, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
  }

  long rows() {
    return size.rows();
  }

  long cols() {
    return size.cols();
  }

  long n() {
    return size.elements();
  }
}
