// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

/**
 * Whether a training step runs as two fused kernels instead of one for each operation; see {@link
 * Trainer#fusion}. The numbers agree up to the order of sums.
 */
public enum Fusion {
  /**
   * Where the step can be fused and that pays, as measured: in float32, for batches of up to 1024
   * rows on a GPU and 512 on a processor with AVX2 or better. Never in float64.
   */
  AUTO,
  /** One kernel for each operation. */
  NEVER,
  /** Fused, or an error that says why that cannot be. */
  ALWAYS
}
