// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import dev.weft.Inputs;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.device.BagFunction;
import java.util.Map;
import java.util.Random;

/** A small text, and models of it and of bags of its words, that several tests train. */
final class TextModels {
  static final int WORDS = 30;
  static final int BEFORE = 3;

  private TextModels() {}

  /** A text in which the next word follows from the one before. */
  static Dataset text(int length) {
    Random random = new Random(3);
    int[] ids = new int[length];
    for (int i = 1; i < length; i++) {
      ids[i] = random.nextInt(10) == 0 ? random.nextInt(WORDS) : (ids[i - 1] * 7 + 3) % WORDS;
    }
    Column tokens = Column.ids(ids, WORDS);
    return Dataset.of(
        Map.of(
            Inputs.FEATURES, tokens.window(BEFORE).slice(0, length - BEFORE),
            Inputs.TARGETS, tokens.slice(BEFORE, length)));
  }

  static Sequential plain() {
    return Sequential.of(
        new Embedding(WORDS, 8),
        new Flatten(),
        new Linear(BEFORE * 8, 16),
        Activation.TANH,
        new Linear(16, WORDS));
  }

  static EmbeddingBag bag(int vocabulary, int width, BagFunction function) {
    return function == BagFunction.SUM
        ? EmbeddingBag.sum(vocabulary, width)
        : EmbeddingBag.mean(vocabulary, width);
  }

  static Sequential bagModel(BagFunction function) {
    return Sequential.of(bag(WORDS, 8, function), new Linear(8, 3));
  }
}
