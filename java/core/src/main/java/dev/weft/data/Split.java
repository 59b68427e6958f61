// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import static dev.weft.format.Format.format;

import java.util.Arrays;

/** Examples to train on, and others that training never sees. */
public record Split(Dataset train, Dataset test) {
  /**
   * @throws IllegalArgumentException if the examples of the two parts are not alike: features of
   *     one shape, and targets of one size or classes to test on that are all among those to train
   *     on
   */
  public Split {
    if (train.columns() != test.columns()) {
      throw new IllegalArgumentException(
          format("%d columns to train on, %d to test on", train.columns(), test.columns()));
    }
    if (!Arrays.equals(train.shape(), test.shape())) {
      throw new IllegalArgumentException(
          format(
              "rows of shape %s to train on, of %s to test on",
              Arrays.toString(train.shape()), Arrays.toString(test.shape())));
    }
    if (train.targets().getClass() != test.targets().getClass()) {
      throw new IllegalArgumentException("classes in one part, numbers as targets in the other");
    }
    if (train.targets() instanceof Labels some
        && test.targets() instanceof Labels others
        && others.classes() > some.classes()) {
      throw new IllegalArgumentException(
          format(
              "%d classes to train on, %d to test on: give both parts the same number",
              some.classes(), others.classes()));
    }
    if (train.targets() instanceof Rows some
        && test.targets() instanceof Rows others
        && !Arrays.equals(some.shape(), others.shape())) {
      throw new IllegalArgumentException(
          format(
              "targets of shape %s to train on, of %s to test on",
              Arrays.toString(some.shape()), Arrays.toString(others.shape())));
    }
  }
}
