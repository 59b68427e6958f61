// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

/**
 * How long to train: a number of passes over the training data.
 *
 * @param count at least 1
 */
public record Epochs(int count) {

  /** Checks the count. */
  public Epochs {
    if (count < 1) {
      throw new IllegalArgumentException("at least 1 epoch, not " + count);
    }
  }

  /** That many passes over the training data. */
  public static Epochs of(int count) {
    return new Epochs(count);
  }
}
