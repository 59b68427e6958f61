// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

/**
 * Training was stopped because the loss, or after an epoch a parameter, is no longer a finite
 * number. The message names the steps between the reading that found it and the one before ({@link
 * Listener#every} says how often it is read; with 1 it is the step itself), and the first
 * parameter, in the order of layers, whose values or gradient are not finite.
 */
public final class DivergedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Counted from 1. */
  private final long firstStep;

  /** Counted from 1. */
  private final long lastStep;

  DivergedException(String message, long firstStep, long lastStep) {
    super(message);
    this.firstStep = firstStep;
    this.lastStep = lastStep;
  }

  /** The first step, counted from 1, at which it may have happened. */
  public long firstStep() {
    return firstStep;
  }

  /** The last step at which it may have happened; the first one where it is known exactly. */
  public long lastStep() {
    return lastStep;
  }
}
