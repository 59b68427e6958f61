// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

/** Which operand is stored transposed, by what a layer y = x W needs it for. */
public enum GemmForm {
  /** y = x W. */
  FORWARD(false, false),
  /** dx = dy Wᵀ. */
  INPUT_GRADIENT(false, true),
  /** dW = xᵀ dy. */
  WEIGHT_GRADIENT(true, false);

  private final boolean transposeA;
  private final boolean transposeB;

  GemmForm(boolean transposeA, boolean transposeB) {
    this.transposeA = transposeA;
    this.transposeB = transposeB;
  }

  boolean transposeA() {
    return transposeA;
  }

  boolean transposeB() {
    return transposeB;
  }
}
