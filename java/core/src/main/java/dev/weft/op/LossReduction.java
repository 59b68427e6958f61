// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

/** What a loss makes of those of its rows, or elements. */
public enum LossReduction {
  /** Their sum over their number. */
  MEAN,
  /** Their sum. */
  SUM,
  /** Each by itself. */
  NONE
}
