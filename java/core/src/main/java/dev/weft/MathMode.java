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
   * instructions for it. On others it is {@link #STRICT}. A narrow network's fused step stays
   * float32 on a GPU.
   */
  FAST(DType.F32),
  /**
   * bfloat16 (8 significant bits) for weights, activations and their gradients, float32 for all
   * sums, for the gradients of parameters and for the optimizer, which keeps master weights in
   * float32 and writes their rounded copy along with them. bfloat16 has float32's range, so that no
   * gradient vanishes or overflows where it would not in {@link #STRICT}: losses are not scaled. On
   * a processor without instructions for bfloat16 results are the same and nothing is faster.
   */
  BF16(DType.BF16),
  /** float64 throughout: for checking. */
  DOUBLE(DType.F64);

  private final DType dtype;

  MathMode(DType dtype) {
    this.dtype = dtype;
  }

  /** The type of weights, results and their gradients. */
  public DType dtype() {
    return dtype;
  }
}
