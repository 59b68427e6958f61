// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Memory that is not in use, by size: best fit that wastes little. */
final class FreeList {
  private final double mostWaste;
  private final TreeMap<Long, ArrayDeque<Long>> addresses = new TreeMap<>();
  private long bytes;

  /** A list whose pieces waste at most a quarter of what is wanted. */
  FreeList() {
    this(0.25);
  }

  /** A list whose pieces waste at most {@code mostWaste} times what is wanted. */
  FreeList(double mostWaste) {
    this.mostWaste = mostWaste;
  }

  /** One piece of free memory. */
  record Piece(long address, long bytes) {}

  /** Takes the smallest piece of at least {@code wanted} bytes, or null. */
  @Nullable Piece take(long wanted) {
    Map.Entry<Long, ArrayDeque<Long>> fit = addresses.ceilingEntry(wanted);
    if (fit == null || fit.getKey() > wanted + mostWaste * wanted) {
      return null;
    }
    Piece piece = new Piece(fit.getValue().pop(), fit.getKey());
    if (fit.getValue().isEmpty()) {
      addresses.remove(fit.getKey());
    }
    bytes -= piece.bytes();
    return piece;
  }

  void put(long address, long size) {
    addresses.computeIfAbsent(size, key -> new ArrayDeque<>()).push(address);
    bytes += size;
  }

  /** Takes everything. */
  List<Long> drain() {
    List<Long> all = new ArrayList<>();
    addresses.values().forEach(all::addAll);
    addresses.clear();
    bytes = 0;
    return all;
  }

  long bytes() {
    return bytes;
  }
}
