// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

/** Whether the rows of a loss count alike. */
public enum RowWeights {
  /** Each row counts as any other. */
  EQUAL,
  /**
   * The loss of row r is multiplied by element r of an input, which is (rows) of the wide type of x
   * and gets no gradient; where that is 0 the loss is 0, whatever the row holds. A mean is over all
   * rows nevertheless: for a weighted one divide the weights by their sum, and take the sum.
   */
  GIVEN
}
