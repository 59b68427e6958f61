// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.sass;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;

/** Instructions as a thread meets them. */
record Way(List<Instruction> code) {
  /** Bytes of global memory that a thread moves on it. */
  int bytes() {
    return code.stream()
        .filter(one -> one.loads() || one.stores())
        .mapToInt(Instruction::width)
        .sum();
  }

  /**
   * The loads that are under way at once, at the most: one is over when an instruction names a
   * register that it fills, and with it all that began before.
   */
  int loadsInFlight() {
    Deque<Set<Integer>> flying = new ArrayDeque<>();
    int most = 0;
    for (Instruction one : code) {
      Set<Integer> named = one.named();
      while (flying.stream().anyMatch(filled -> filled.stream().anyMatch(named::contains))) {
        flying.removeFirst();
      }
      if (one.loads()) {
        flying.add(one.filled());
        most = Math.max(most, flying.size());
      }
    }
    return most;
  }
}
