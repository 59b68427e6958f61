// SPDX-License-Identifier: Apache-2.0
package dev.weft.text;

import static dev.weft.format.Format.format;

/**
 * Draws from a distribution over 0..n-1 in constant time (Walker 1977, built as by Vose 1991). With
 * x uniform on 0..n-1 and y on 0..2^32-1, independent of each other, what is drawn is
 *
 * <pre>
 *   x where y &lt; thresholds[x], unsigned, else aliases[x]
 * </pre>
 *
 * <p>The same weights make the same table on every machine. A weight of 0 is never drawn; of the
 * others each has its probability but for roundings of at most 2^-33 / n, one for itself and one
 * for each x of which it is the alias.
 */
public final class AliasTable {
  private final int[] thresholds;
  private final int[] aliases;

  /**
   * The table of some weights.
   *
   * @throws IllegalArgumentException if there is none, one is negative or not finite, or all are 0
   */
  public static AliasTable of(double... weights) {
    return new AliasTable(weights);
  }

  /**
   * The table of count^power of a vocabulary's words, from which negative samples are drawn: 0.75
   * in word2vec, 0.5 in fastText.
   *
   * @throws IllegalArgumentException if the vocabulary has no counts or the power is not finite
   */
  public static AliasTable noise(Vocabulary vocabulary, double power) {
    if (vocabulary.total() == 0) {
      throw new IllegalArgumentException(
          "the vocabulary has no counts, so that nothing is known of how often to draw a word");
    }
    double[] weights = new double[vocabulary.size()];
    for (int id = 0; id < weights.length; id++) {
      long count = vocabulary.count(id);
      // StrictMath: the same bits on every machine
      weights[id] = count == 0 ? 0 : StrictMath.pow(count, power);
    }
    return of(weights);
  }

  /**
   * A table that was made before.
   *
   * @throws IllegalArgumentException if there is no place, the arrays differ in length, or an alias
   *     is no place
   */
  public static AliasTable of(int[] thresholds, int[] aliases) {
    int n = thresholds.length;
    if (n == 0 || aliases.length != n) {
      throw new IllegalArgumentException(
          format("%d thresholds and %d aliases make no table", n, aliases.length));
    }
    for (int i = 0; i < n; i++) {
      if (aliases[i] < 0 || aliases[i] >= n) {
        throw new IllegalArgumentException(
            format("alias %d is %d; there are places 0 to %d", i, aliases[i], n - 1));
      }
    }
    return new AliasTable(thresholds.clone(), aliases.clone());
  }

  private AliasTable(int[] thresholds, int[] aliases) {
    this.thresholds = thresholds;
    this.aliases = aliases;
  }

  private AliasTable(double[] weights) {
    int n = weights.length;
    double sum = 0;
    for (int i = 0; i < n; i++) {
      if (!(weights[i] >= 0) || Double.isInfinite(weights[i])) {
        throw new IllegalArgumentException(
            format("weight %d is %s; weights are finite and at least 0", i, weights[i]));
      }
      sum += weights[i];
    }
    if (!(sum > 0) || Double.isInfinite(sum)) {
      throw new IllegalArgumentException(
          format("%,d weights add up to %s, expected a positive number", n, sum));
    }
    thresholds = new int[n];
    aliases = new int[n];
    double[] left = new double[n]; // of each column's probability, in columns
    int[] columns = new int[n]; // those with less than one from the front, the others from the back
    int less = 0;
    int more = n;
    for (int i = 0; i < n; i++) {
      left[i] = weights[i] / sum * n;
      columns[left[i] < 1 ? less++ : --more] = i;
    }
    while (less > 0 && more < n) {
      int column = columns[--less];
      int giver = columns[more];
      set(column, left[column], giver);
      left[giver] -= 1 - left[column];
      if (left[giver] < 1) {
        more++;
        columns[less++] = giver;
      }
    }
    // what is left is one but for rounding
    while (less > 0) {
      fill(columns[--less]);
    }
    while (more < n) {
      fill(columns[more++]);
    }
  }

  private void set(int column, double probability, int alias) {
    long threshold = Math.round(probability * 0x1p32);
    thresholds[column] = (int) Math.min(threshold, 0xFFFFFFFFL);
    aliases[column] = threshold > 0xFFFFFFFFL ? column : alias;
  }

  private void fill(int column) {
    set(column, 1, column);
  }

  /** The number of weights. */
  public int size() {
    return thresholds.length;
  }

  /** Where y begins to mean the alias, as unsigned 32-bit integers; the table's own array. */
  public int[] thresholds() {
    return thresholds;
  }

  /** What is drawn in place of x from the threshold on; the table's own array. */
  public int[] aliases() {
    return aliases;
  }
}
