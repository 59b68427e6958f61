// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.op.LossReduction;

/** The one number that a loss makes of those of its rows. */
public enum Aggregation {
  /** Their sum over their number, or over the sum of their weights. */
  MEAN,
  /** Their sum. */
  SUM;

  LossReduction reduction() {
    return this == MEAN ? LossReduction.MEAN : LossReduction.SUM;
  }
}
