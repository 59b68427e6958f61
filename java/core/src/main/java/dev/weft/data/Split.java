// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import static dev.weft.format.Format.format;

import dev.weft.RowType;

/**
 * Examples to train on, and others that training never sees.
 *
 * @param train to train on
 * @param test what training never sees
 */
public record Split(Dataset train, Dataset test) {
  /**
   * Checks that both parts are of one kind.
   *
   * @throws IllegalArgumentException if the examples of the two parts are not alike: columns of the
   *     same names, types and shapes, which may differ where both are padded, and ids to test on
   *     that are all among those to train on
   */
  public Split {
    if (!train.columns().keySet().equals(test.columns().keySet())) {
      throw new IllegalArgumentException(
          format(
              "columns %s to train on, %s to test on",
              train.columns().keySet(), test.columns().keySet()));
    }
    for (String name : train.columns().keySet()) {
      RowType some = train.column(name).type();
      RowType others = test.column(name).type();
      boolean differ = some.padded() && others.padded(); // in length, if they must
      boolean alike =
          some.isIds() == others.isIds() && (differ || some.shape().equals(others.shape()));
      if (!alike || others.below() > some.below()) {
        throw new IllegalArgumentException(
            format(
                "'%s' holds %s to train on, %s to test on%s",
                name, some, others, alike ? ": give both parts the same bound" : ""));
      }
    }
  }
}
