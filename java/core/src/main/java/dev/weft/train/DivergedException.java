// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

/** Training was stopped because the loss is no longer a finite number. */
public final class DivergedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Makes one with a sentence for the user. */
  public DivergedException(String message) {
    super(message);
  }
}
