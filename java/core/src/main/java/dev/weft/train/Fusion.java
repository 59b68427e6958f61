// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

/**
 * Whether a training step runs as two fused kernels instead of one for each operation; see {@link
 * Trainer#fusion}. The numbers agree up to the order of sums.
 *
 * <p>What can be fused is the step of a narrow network of linear layers, activations and dropout,
 * with a loss and an optimizer of Weft's. A group of parameters or frozen ones, a clip, L1, a
 * max-norm, gradients that add up over batches, a metric other than the accuracy that the loss
 * counts, and a loss or an optimizer of one's own each keep it from being fused.
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
