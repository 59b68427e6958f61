// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

/**
 * Whether a training step runs as two fused kernels instead of one for each operation; see {@link
 * Trainer#fusion}. The numbers agree up to the order of sums.
 */
public enum Fusion {
  /**
   * Where the step can be fused and that was measured to pay: on a processor with AVX2 or better,
   * in float32, for batches of up to 512 rows. Not on a GPU, where nothing was measured yet.
   */
  AUTO,
  /** One kernel for each operation. */
  NEVER,
  /** Fused, or an error that says why that cannot be. */
  ALWAYS
}
