// SPDX-License-Identifier: Apache-2.0
package dev.weft.check;

/** A gradient that differs from the finite differences. */
public final class GradCheckFailure extends AssertionError {
  private static final long serialVersionUID = 1;

  /** Says what differs. */
  public GradCheckFailure(String message) {
    super(message);
  }
}
