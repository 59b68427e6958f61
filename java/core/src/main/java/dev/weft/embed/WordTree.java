// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import dev.weft.text.HuffmanTree;
import dev.weft.text.Vocabulary;

/** The binary tree over the words of a hierarchical softmax. */
public enum WordTree {
  /** Frequent words near the root, so that the mean path is the shortest. */
  HUFFMAN,
  /** All paths of one length, but for 1; the most frequent words have the shorter ones. */
  BALANCED;

  HuffmanTree of(Vocabulary words) {
    return this == HUFFMAN ? HuffmanTree.of(words) : HuffmanTree.balanced(words.size());
  }
}
