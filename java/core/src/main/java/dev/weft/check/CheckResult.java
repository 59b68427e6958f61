// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

import dev.weft.DType;

/**
 * One check of one operation, as a row of a table.
 *
 * @param operation the name of its case
 * @param check what was done
 * @param device the device under test
 * @param shapes the shapes of the inputs
 * @param dtype the precision
 * @param error the largest error; infinite where the operation failed or a value is not finite
 * @param tolerance the largest error that passes
 * @param verdict the verdict
 * @param milliseconds how long it took
 * @param detail where the largest error is, or what went wrong
 */
public record CheckResult(
    String operation,
    Kind check,
    String device,
    String shapes,
    DType dtype,
    double error,
    double tolerance,
    Verdict verdict,
    double milliseconds,
    String detail) {

  /** What was done. */
  public enum Kind {
    /** The gradient was compared with finite differences. */
    GRADIENT,
    /** Result and gradients were compared with those of the CPU in float64. */
    PARITY
  }

  /** Whether the verdict is one that passes. */
  public boolean passed() {
    return verdict.passed();
  }
}
