// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.sass;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** How control flows through a kernel: its instructions as a graph, and the loops in it. */
final class Flow {
  /** A loop: where it begins, every instruction of it, and those that go back to its beginning. */
  record Loop(int head, Set<Integer> body, Set<Integer> tails) {}

  private static final String TWO_ENTRIES = "a loop that is entered at two places";

  private final List<Instruction> code;
  private final List<List<Integer>> next = new ArrayList<>(); // by place in the code
  private final List<Integer> order = new ArrayList<>(); // an instruction after all that follow it
  private final Map<Integer, Loop> loops = new TreeMap<>();

  /**
   * Follows the code from its first instruction. A call is taken as one instruction.
   *
   * @throws IllegalArgumentException where it branches to no instruction, or over a table, or has a
   *     loop that is entered at two places
   */
  Flow(List<Instruction> code) {
    this.code = code;
    Map<Integer, Integer> places = new TreeMap<>();
    for (int i = 0; i < code.size(); i++) {
      places.put(code.get(i).address(), i);
    }
    for (int i = 0; i < code.size(); i++) {
      List<Integer> after = new ArrayList<>();
      Instruction one = code.get(i);
      if (one.fallsThrough() && i + 1 < code.size()) {
        after.add(i + 1);
      }
      int target = one.target();
      if (target >= 0) {
        Integer place = places.get(target);
        if (place == null) {
          throw new IllegalArgumentException("a branch to no instruction: " + one);
        }
        after.add(place);
      }
      next.add(after);
    }
    List<int[]> back = walk(new ArrayList<>());
    back.forEach(edge -> next.get(edge[0]).remove((Integer) edge[1]));
    List<List<Integer>> before = reversed();
    back.forEach(edge -> enclose(edge[0], edge[1], before));
    // where a loop only goes back at its end, a way leaves it there as if it had gone back first
    for (Loop loop : loops.values()) {
      loop.tails.stream()
          .filter(tail -> next.get(tail).isEmpty())
          .forEach(tail -> next.get(tail).addAll(exits(loop)));
    }
    if (!walk(order).isEmpty()) {
      throw new IllegalArgumentException(TWO_ENTRIES);
    }
  }

  /**
   * Walks in depth, and returns the edges to an instruction on the way there: each closes a loop.
   */
  private List<int[]> walk(List<Integer> finished) {
    List<int[]> back = new ArrayList<>();
    boolean[] seen = new boolean[code.size()];
    boolean[] open = new boolean[code.size()];
    int[] taken = new int[code.size()];
    Deque<Integer> way = new ArrayDeque<>();
    for (int at = 0; at >= 0; ) {
      if (!seen[at]) {
        seen[at] = true;
        open[at] = true;
        way.push(at);
      }
      if (taken[at] < next.get(at).size()) {
        int to = next.get(at).get(taken[at]++);
        if (open[to]) {
          back.add(new int[] {at, to});
        } else if (!seen[to]) {
          at = to;
        }
        continue;
      }
      open[at] = false;
      finished.add(way.pop());
      at = way.isEmpty() ? -1 : way.peek();
    }
    return back;
  }

  /** Adds what lies between the head of a loop and an instruction that goes back to it. */
  private void enclose(int tail, int head, List<List<Integer>> before) {
    Loop loop =
        loops.computeIfAbsent(head, at -> new Loop(at, new TreeSet<>(Set.of(at)), new TreeSet<>()));
    loop.tails.add(tail);
    Deque<Integer> left = new ArrayDeque<>(List.of(tail));
    while (!left.isEmpty()) {
      int at = left.pop();
      if (at == 0 && head != 0) {
        throw new IllegalArgumentException(TWO_ENTRIES);
      }
      if (loop.body.add(at)) {
        left.addAll(before.get(at));
      }
    }
  }

  private Set<Integer> exits(Loop loop) {
    Set<Integer> exits = new TreeSet<>();
    loop.body.forEach(at -> exits.addAll(next.get(at)));
    exits.removeAll(loop.body);
    return exits;
  }

  private List<List<Integer>> reversed() {
    List<List<Integer>> before = new ArrayList<>();
    for (int i = 0; i < code.size(); i++) {
      before.add(new ArrayList<>());
    }
    for (int i = 0; i < code.size(); i++) {
      for (int to : next.get(i)) {
        before.get(to).add(i);
      }
    }
    return before;
  }

  /**
   * The way through the code, no loop taken twice, that moves the most through the widest accesses
   * (the largest sum of squares of widths), and of those the shortest.
   */
  Way way() {
    return way(0, new TreeSet<>(order), Set.of());
  }

  /** The same from the beginning of each loop back to it, the shortest loop first. */
  List<Way> loops() {
    return loops.values().stream()
        .sorted(Comparator.comparing(loop -> loop.body.size()))
        .map(loop -> way(loop.head, loop.body, loop.tails))
        .toList();
  }

  /**
   * Within a part of the code; ends are where it must end, or empty where it may end where it can.
   */
  private Way way(int from, Set<Integer> part, Set<Integer> ends) {
    long[] best = new long[code.size()];
    int[] then = new int[code.size()];
    Arrays.fill(best, Long.MIN_VALUE);
    for (int at : order) {
      if (!part.contains(at)) {
        continue;
      }
      then[at] = -1;
      long after = ends.contains(at) || next.get(at).isEmpty() && ends.isEmpty() ? 0 : best[at];
      for (int to : next.get(at)) {
        if (part.contains(to) && best[to] > after) {
          after = best[to];
          then[at] = to;
        }
      }
      best[at] = after == Long.MIN_VALUE ? after : after + worth(code.get(at));
    }
    List<Instruction> way = new ArrayList<>();
    if (best[from] != Long.MIN_VALUE) {
      for (int at = from; at >= 0; at = then[at]) {
        way.add(code.get(at));
      }
    }
    return new Way(way);
  }

  /** Of an instruction; no kernel has a million, nor is one worth as much as an access. */
  private static long worth(Instruction one) {
    long width = one.loads() || one.stores() ? one.width() : 0;
    return 1_000_000 * width * width - 1;
  }
}
