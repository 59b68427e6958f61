// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

/**
 * How products of matrices are computed, by the names of the math modes: what a machine's
 * arithmetic ceiling depends on.
 */
public enum Arithmetic {
  /** float32 throughout. */
  STRICT,
  /** float32 in memory; TF32 or bfloat16 multiplications. */
  FAST,
  /** bfloat16 in memory, added up in float32. */
  BF16,
  /** float64. */
  DOUBLE;

  /** That of a call. */
  static Arithmetic of(Precision precision, Arguments arguments) {
    if (precision == Precision.F64) {
      return DOUBLE;
    }
    if (precision == Precision.BF16) {
      return BF16;
    }
    boolean fast =
        switch (arguments) {
          case Arguments.Gemm gemm -> gemm.fast();
          case Arguments.FusedPass pass -> pass.fast();
          case Arguments.FusedUpdate update -> update.fast();
          default -> false;
        };
    return fast ? FAST : STRICT;
  }

  /** The precision of the operands in memory. */
  public Precision precision() {
    return switch (this) {
      case STRICT, FAST -> Precision.F32;
      case BF16 -> Precision.BF16;
      case DOUBLE -> Precision.F64;
    };
  }
}
