// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Memory that is not in use, by size: best fit that wastes at most a quarter. */
final class FreeList {
  private final TreeMap<Long, ArrayDeque<Long>> addresses = new TreeMap<>();
  private long bytes;

  /** One piece of free memory. */
  record Piece(long address, long bytes) {}

  /** Takes the smallest piece of at least {@code wanted} bytes, or null. */
  Piece take(long wanted) {
    Map.Entry<Long, ArrayDeque<Long>> fit = addresses.ceilingEntry(wanted);
    if (fit == null || fit.getKey() > wanted + wanted / 4) {
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
