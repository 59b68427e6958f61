// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.text.AliasTable;
import dev.weft.text.HuffmanTree;
import dev.weft.text.Vocabulary;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where the kernel finds what stays the same in a training: addresses on its device.
 *
 * @param keep how likely each word stays, of 2^32 - 1
 * @param thresholds of the noise, as {@code aliases}; 0 where there is none
 * @param offsets of the paths, as {@code nodes} and {@code bits}; 0 where there are none
 */
record WordTables(long keep, long thresholds, long aliases, long offsets, long nodes, long bits) {
  /**
   * Copies what the settings need to a device.
   *
   * @param owner gets the copies, to be closed
   */
  static WordTables of(
      Word2Vec settings,
      Device device,
      Vocabulary words,
      @Nullable HuffmanTree tree,
      List<? super Tensor> owner) {
    int[] keep = new int[words.size()];
    for (int w = 0; w < keep.length; w++) {
      keep[w] = (int) (long) (settings.stays(words, w) * 0xFFFFFFFFL);
    }
    long kept = address(device.tensor(keep), owner);
    if (settings.objective() == Word2Vec.Objective.NEGATIVE_SAMPLING) {
      AliasTable noise = AliasTable.noise(words, settings.noisePower());
      long thresholds = address(device.tensor(noise.thresholds()), owner);
      return new WordTables(
          kept, thresholds, address(device.tensor(noise.aliases()), owner), 0, 0, 0);
    }
    if (tree == null) {
      return new WordTables(kept, 0, 0, 0, 0, 0);
    }
    Tensor bits = device.allocate(DType.U8, Shape.of(tree.bits().length));
    owner.add(bits);
    bits.copyFrom(MemorySegment.ofArray(tree.bits()));
    return new WordTables(
        kept,
        0,
        0,
        address(device.tensor(tree.offsets()), owner),
        address(device.tensor(tree.nodes()), owner),
        Engine.address(bits));
  }

  private static long address(Tensor table, List<? super Tensor> owner) {
    owner.add(table);
    return Engine.address(table);
  }
}
