// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

/**
 * What ranks the answers d to "a is to b as c is to d". Each word's vector has length 1 first; the
 * words asked about are no answers.
 */
public enum AnalogyScore {
  /** 3CosAdd: cos(d, b - a + c) (Mikolov et al. 2013). */
  ADD,
  /**
   * 3CosMul: cos'(d, b) cos'(d, c) / (cos'(d, a) + 0.001), where cos' = (1 + cos) / 2 (Levy and
   * Goldberg 2014).
   */
  MULTIPLY
}
