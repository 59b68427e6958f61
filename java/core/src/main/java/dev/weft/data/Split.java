// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import static dev.weft.format.Format.format;

/** Examples to train on, and others that training never sees. */
public record Split(Dataset train, Dataset test) {
  /**
   * @throws IllegalArgumentException if the examples of the two parts are not alike
   */
  public Split {
    if (train.columns() != test.columns()) {
      throw new IllegalArgumentException(
          format("%d columns to train on, %d to test on", train.columns(), test.columns()));
    }
    if (train.targets().getClass() != test.targets().getClass()) {
      throw new IllegalArgumentException("classes in one part, numbers as targets in the other");
    }
  }
}
