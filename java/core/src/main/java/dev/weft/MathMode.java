// SPDX-License-Identifier: Apache-2.0
package dev.weft;

/**
 * How a network computes: the type of its values and how precise its products are. Sums are never
 * narrower than float32.
 */
public enum MathMode {
  /** float32 throughout. */
  STRICT(DType.F32),
  /**
   * float32 in memory; matrix products round their operands as they read them and add up in
   * float32: to TF32 (10 bits of fraction) on a GPU, to bfloat16 (7 bits) on a processor that has
   * instructions for it. On others it is {@link #STRICT}.
   */
  FAST(DType.F32),
  /** float64 throughout: for checking. */
  DOUBLE(DType.F64);

  private final DType dtype;

  MathMode(DType dtype) {
    this.dtype = dtype;
  }

  /** The type of values, results and gradients. */
  public DType dtype() {
    return dtype;
  }
}
