// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

/** What a check says of an input or of an operation. */
public enum Verdict {
  /** Everything that was compared agrees. */
  OK(true, "ok"),
  /**
   * Some elements may lie at a kink, as relu's at 0, and have one of the slopes that meet there;
   * everything else that was compared agrees.
   */
  KINK(true, "kink"),
  /** Every element that was compared may lie at a kink: nothing is known of the gradient. */
  ONLY_KINKS(false, "ONLY KINKS"),
  /** The function has no value or no derivative there that a gradient could be compared with. */
  UNDEFINED(false, "UNDEFINED"),
  /** Something differs. */
  WRONG(false, "WRONG");

  private final boolean passed;
  private final String words;

  Verdict(boolean passed, String words) {
    this.passed = passed;
    this.words = words;
  }

  /** Whether a check with this verdict passes. */
  public boolean passed() {
    return passed;
  }

  /** The verdict as reports and tables print it: what fails is in capitals. */
  public String words() {
    return words;
  }
}
