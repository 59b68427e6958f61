// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import dev.weft.data.Dataset;
import dev.weft.data.Labels;
import dev.weft.data.Rows;
import dev.weft.nn.Loss;
import dev.weft.nn.Sequential;

/** Whether a network, a loss and a data set fit together. */
final class Fit {
  private Fit() {}

  /**
   * Returns if they do.
   *
   * @param what the data set's role in messages
   * @throws IllegalArgumentException that says what does not fit
   */
  static void check(Sequential network, Loss loss, Dataset data, String what) {
    int outputs;
    try {
      outputs = network.outputFeatures(data.columns());
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          format("the %s has %d features a row: %s", what, data.columns(), e.getMessage()), e);
    }
    switch (data.targets()) {
      case Labels labels -> {
        if (loss.target() != Loss.Target.LABELS) {
          throw new IllegalArgumentException(
              format("%s compares with values, and the %s has class labels", loss.spec(), what));
        }
        if (labels.classes() > outputs) {
          throw new IllegalArgumentException(
              format(
                  "the %s has %d classes and the network %d outputs",
                  what, labels.classes(), outputs));
        }
      }
      case Rows values -> {
        if (loss.target() != Loss.Target.VALUES) {
          throw new IllegalArgumentException(
              format("%s needs class labels, and the %s has values", loss.spec(), what));
        }
        if (values.columns() != outputs) {
          throw new IllegalArgumentException(
              format(
                  "the %s has %d target values a row and the network %d outputs",
                  what, values.columns(), outputs));
        }
      }
    }
  }
}
