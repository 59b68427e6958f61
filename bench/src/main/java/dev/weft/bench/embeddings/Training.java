// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.embeddings;

import static dev.weft.format.Format.format;

import dev.weft.embed.Word2Vec.Model;
import dev.weft.embed.Word2Vec.Objective;
import java.math.BigDecimal;
import java.nio.file.Path;

/**
 * What all sides of a form are told.
 *
 * @param text a plain file
 * @param vocabulary the words that are trained, with counts; null for those of the text
 * @param objective of which all have negative sampling and the hierarchical softmax
 * @param rate the learning rate at the start
 */
record Training(
    Path text,
    Path vocabulary,
    Model model,
    Objective objective,
    int dimension,
    int window,
    double sample,
    int minCount,
    double rate,
    int threads,
    int epochs) {
  /** Noise words for a word, of negative sampling. */
  static final int NEGATIVES = 5;

  /** The same with so many readings of the text. */
  Training epochs(int count) {
    return new Training(
        text,
        vocabulary,
        model,
        objective,
        dimension,
        window,
        sample,
        minCount,
        rate,
        threads,
        count);
  }

  /** A number in digits alone, which every side reads. */
  static String digits(double number) {
    return new BigDecimal(Double.toString(number)).stripTrailingZeros().toPlainString();
  }

  /** In a line. */
  String words() {
    return format(
        "%s, %s, d %d, window %d, sample %s, rate %s, %s",
        model == Model.CBOW ? "CBOW" : "skip-gram",
        switch (objective) {
          case NEGATIVE_SAMPLING -> NEGATIVES + " negatives";
          case HIERARCHICAL_SOFTMAX -> "hierarchical softmax";
          case FULL_SOFTMAX -> "full softmax";
        },
        dimension,
        window,
        digits(sample),
        digits(rate),
        vocabulary == null ? "min-count " + minCount : "the most frequent words alone");
  }
}
