// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

/** What a data set wants predicted, one for each row: a class ({@link Labels}) or numbers. */
public sealed interface Targets permits Labels, Rows {
  /** The number of examples that have a target. */
  int rows();

  /** Targets {@code from} (inclusive) to {@code to} (exclusive), sharing this memory. */
  Targets slice(int from, int to);

  /** Targets {@code order[0]}, {@code order[1]}, ..., copied. */
  Targets select(int[] order);
}
