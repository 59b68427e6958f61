// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

/**
 * A recorded kernel call.
 *
 * @param kernel what runs
 * @param precision what it computes in
 * @param arguments on what
 * @param phase what part of a step it belongs to
 * @param layer what it was run for: the layer's place and name, such as {@code 0 linear(784,512)},
 *     or a word for what is no layer
 */
public record Call(
    Kernel kernel, Precision precision, Arguments arguments, Phase phase, String layer) {

  /** The native name of the kernel, such as {@code gemm_f32}. */
  public String symbol() {
    return kernel.symbol(precision);
  }

  /** Whether its products may round their operands as they read them. */
  public boolean isFast() {
    return switch (arguments) {
      case Arguments.Gemm gemm -> gemm.fast();
      case Arguments.FusedPass pass -> pass.fast();
      case Arguments.FusedUpdate update -> update.fast();
      default -> false;
    };
  }

  /** What it moves and computes. */
  public Cost cost() {
    return Cost.of(kernel, precision, arguments);
  }
}
