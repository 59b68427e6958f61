// SPDX-License-Identifier: Apache-2.0
package dev.weft.optim;

import static dev.weft.format.Format.format;

/**
 * How steps are kept from becoming too long: what is clipped, by what, and at what.
 *
 * <ul>
 *   <li>{@code Clip.norm(1)}: the gradient of all parameters together becomes g min(1, 1 / (|g| +
 *       1e-6)) (Pascanu et al. 2013), as PyTorch's clip_grad_norm_;
 *   <li>{@code Clip.value(0.5)}: each element of the gradient is brought into [-0.5, 0.5];
 *   <li>{@code Clip.norm(1).ofUpdate()}, {@code Clip.value(0.01).ofUpdate()}: the same of what the
 *       optimizer would take from the parameters, rate and decay in it. By norm, what an L1 penalty
 *       takes is shortened with the rest, so that a shortened update makes no value exactly 0; by
 *       value, L1 takes its part after the clipped update.
 * </ul>
 *
 * @param by how it is measured
 * @param of what is clipped
 * @param most the largest norm, or the largest magnitude of an element
 */
public record Clip(By by, Of of, double most) {

  /** How what is clipped is measured: whole or element by element. */
  public enum By {
    /** What is clipped is measured by the Euclidean norm of all of it. */
    NORM,
    /** What is clipped is measured element by element. */
    VALUE
  }

  /** What is clipped: the gradient or the update. */
  public enum Of {
    /** The gradient is clipped, before the rule sees it. */
    GRADIENT,
    /** What the rule takes from the parameters is clipped. */
    UPDATE
  }

  /**
   * Checks the bound.
   *
   * @throws IllegalArgumentException where it is not positive and finite
   */
  public Clip {
    if (!(most > 0) || Double.isInfinite(most)) {
      throw new IllegalArgumentException(
          format(
              "a %s to clip at must be positive and finite, not %s",
              by == By.NORM ? "norm" : "value", most));
    }
  }

  /** Clips the gradient by its norm. */
  public static Clip norm(double most) {
    return new Clip(By.NORM, Of.GRADIENT, most);
  }

  /** Clips the gradient element by element. */
  public static Clip value(double most) {
    return new Clip(By.VALUE, Of.GRADIENT, most);
  }

  /** Clips what the optimizer takes from the parameters, in place of the gradient. */
  public Clip ofUpdate() {
    return new Clip(by, Of.UPDATE, most);
  }
}
