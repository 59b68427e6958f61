// SPDX-License-Identifier: Apache-2.0
package dev.weft.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HuffmanTreeTest {
  static int length(HuffmanTree tree, int word) {
    return tree.offsets()[word + 1] - tree.offsets()[word];
  }

  /** Its bits, then its nodes. */
  private static String path(HuffmanTree tree, int word) {
    StringBuilder bits = new StringBuilder();
    List<Integer> nodes = new ArrayList<>();
    for (int i = tree.offsets()[word]; i < tree.offsets()[word + 1]; i++) {
      bits.append(tree.bits()[i]);
      nodes.add(tree.nodes()[i]);
    }
    return bits + " " + nodes;
  }

  private static List<String> paths(HuffmanTree tree) {
    return IntStream.range(0, tree.size()).mapToObj(word -> path(tree, word)).toList();
  }

  private static long cost(HuffmanTree tree, long[] counts) {
    return IntStream.range(0, counts.length).mapToLong(i -> counts[i] * length(tree, i)).sum();
  }

  /**
   * Counts 5 2 2 1 1 for a b c d e: e + d = 2, then that 2, an inner node, before c's: 2 + 2 = 4,
   * b's 2 + 4 = 6 after it, a's 5 + 6. Branch 1 is the second of each pair.
   */
  @Test
  void codesAreThoseOfTheHandWorkedTree() {
    assertEquals(
        List.of("0 [0]", "10 [0, 1]", "111 [0, 1, 2]", "1101 [0, 1, 2, 3]", "1100 [0, 1, 2, 3]"),
        paths(HuffmanTree.of(5, 2, 2, 1, 1)));
  }

  /** Ties of four make a full tree: d + c, then b + a, then the two; levels from left to right. */
  @Test
  void innerNodesAreNumberedByLevel() {
    assertEquals(
        List.of("11 [0, 2]", "10 [0, 2]", "01 [0, 1]", "00 [0, 1]"),
        paths(HuffmanTree.of(1, 1, 1, 1)));
  }

  @Test
  void theExampleOfTheLectureTakes135Bits() {
    String text = "this is an example of a huffman tree";
    List<Character> letters = new ArrayList<>();
    text.chars().distinct().forEach(c -> letters.add((char) c));
    letters.sort((a, b) -> Long.compare(count(text, b), count(text, a)));
    long[] counts = letters.stream().mapToLong(c -> count(text, c)).toArray();
    HuffmanTree tree = HuffmanTree.of(counts);
    assertEquals(135, cost(tree, counts));
    for (char c : " ae".toCharArray()) {
      assertEquals(3, length(tree, letters.indexOf(c)), "" + c);
    }
    assertEquals(letters.size() - 1, Arrays.stream(tree.nodes()).distinct().count());
  }

  private static long count(String text, char letter) {
    return text.chars().filter(c -> c == letter).count();
  }

  /** Whose bits are the branches: no code begins another, and none is unused. */
  private static void assertIsATree(HuffmanTree tree) {
    int words = tree.size();
    int[][] next = new int[words - 1][2]; // 1 + child, inner nodes negative; 0: none
    for (int word = 0; word < words; word++) {
      int end = tree.offsets()[word + 1];
      for (int i = tree.offsets()[word]; i < end; i++) {
        int child = i + 1 < end ? -tree.nodes()[i + 1] : 1 + word;
        int[] branches = next[tree.nodes()[i]];
        assertTrue(branches[tree.bits()[i]] == 0 || branches[tree.bits()[i]] == child);
        branches[tree.bits()[i]] = child;
      }
    }
    for (int[] branches : next) {
      assertTrue(branches[0] != 0 && branches[1] != 0 && branches[0] != branches[1]);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 7, 100, 5_000})
  void codesAreAsShortAsTheyCanBe(int words) {
    SplittableRandom random = new SplittableRandom(words);
    long[] counts =
        IntStream.range(0, words)
            .mapToLong(i -> -1 - random.nextInt(1 + 10_000 / (i + 1)))
            .sorted()
            .toArray();
    counts = Arrays.stream(counts).map(c -> -c).toArray();
    PriorityQueue<Long> queue = new PriorityQueue<>(Arrays.stream(counts).boxed().toList());
    long least = 0;
    while (queue.size() > 1) {
      long merged = queue.remove() + queue.remove();
      least += merged;
      queue.add(merged);
    }
    HuffmanTree tree = HuffmanTree.of(counts);
    assertEquals(least, cost(tree, counts));
    assertIsATree(tree);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 6, 1_000, 1_024, 1_025})
  void pathsOfABalancedTreeDifferByOneAtMost(int words) {
    HuffmanTree tree = HuffmanTree.balanced(words);
    assertIsATree(tree);
    int floor = 31 - Integer.numberOfLeadingZeros(words);
    for (int word = 0; word < words; word++) {
      int length = length(tree, word);
      assertTrue(length == floor || (length == floor + 1 && Integer.bitCount(words) > 1));
      assertTrue(word == 0 || length >= length(tree, word - 1), "the first are the shorter ones");
    }
  }

  @Test
  void theOnlyWordHasAPathOfNoNodes() {
    for (HuffmanTree tree : List.of(HuffmanTree.of(9), HuffmanTree.balanced(1))) {
      assertArrayEquals(new int[] {0, 0}, tree.offsets());
      assertEquals(0, tree.nodes().length + tree.bits().length);
    }
  }

  /** 1, 1, 1, 2, 3, 5, ... in falling order: the deepest tree for its total. */
  private static long[] fibonacci(int words) {
    long[] counts = new long[words];
    for (int i = words - 1; i >= 0; i--) {
      counts[i] = i > words - 4 ? 1 : counts[i + 1] + counts[i + 2];
    }
    return counts;
  }

  @Test
  void theLongestCodeTakesFortyFourTrillionWordsToExceed() {
    long[] longest = fibonacci(65);
    assertEquals(64, length(HuffmanTree.of(longest), 64));
    long[] longer = fibonacci(66);
    assertEquals(44_945_570_212_853L, Arrays.stream(longer).sum());
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> HuffmanTree.of(longer));
    assertTrue(e.getMessage().contains("has 65 bits, the longest 64"), e.getMessage());
  }

  private static void assertRefused(String message, long... counts) {
    assertEquals(
        message,
        assertThrows(IllegalArgumentException.class, () -> HuffmanTree.of(counts)).getMessage());
  }

  @Test
  void countsThatMakeNoTreeAreRefused() {
    assertRefused("a tree has 1 to 2^30 words, not 0");
    assertRefused("word 1 has a count of 0; a code takes 1 or more", 3, 0);
    assertRefused("word 1 has a count of 4, word 0 before it one of 3; counts must fall", 3, 4);
    assertThrows(ArithmeticException.class, () -> HuffmanTree.of(Long.MAX_VALUE, Long.MAX_VALUE));
  }

  /** Each path begins at the new root, and goes on as it did. */
  @ParameterizedTest
  @CsvSource({"5, 4", "5, 1", "1, 1", "1, 7", "40, 40"})
  void aJoinedTreeKeepsThePathsOfItsParts(int first, int second) {
    HuffmanTree a = HuffmanTree.of(falling(first));
    HuffmanTree b = HuffmanTree.of(falling(second));
    HuffmanTree joined = a.joined(b);
    assertEquals(first + second, joined.size());
    double sum = 0;
    for (int word = 0; word < joined.size(); word++) {
      boolean old = word < first;
      HuffmanTree part = old ? a : b;
      int from = part.offsets()[old ? word : word - first];
      int length = part.offsets()[(old ? word : word - first) + 1] - from;
      int at = joined.offsets()[word];
      assertEquals(length + 1, joined.offsets()[word + 1] - at);
      assertEquals(0, joined.nodes()[at]);
      assertEquals(old ? 0 : 1, joined.bits()[at]);
      for (int i = 0; i < length; i++) {
        assertEquals(part.nodes()[from + i] + (old ? 1 : first), joined.nodes()[at + 1 + i]);
        assertEquals(part.bits()[from + i], joined.bits()[at + 1 + i]);
      }
      sum += Math.scalb(1.0, -length - 1);
    }
    assertEquals(1, sum, "one half at each node");
  }

  @Test
  void aTreeIsNotJoinedBeyondTheLongestPath() {
    HuffmanTree longest = HuffmanTree.of(fibonacci(64)).joined(HuffmanTree.of(1));
    assertEquals(64, longest.longest());
    for (boolean first : new boolean[] {true, false}) {
      HuffmanTree one = HuffmanTree.of(1);
      assertEquals(
          "two trees were to be joined, and the longest path would have 65 inner nodes, 64 at most:"
              + " a tree that is made anew of all words has shorter paths",
          assertThrows(
                  IllegalArgumentException.class,
                  () -> (first ? longest : one).joined(first ? one : longest))
              .getMessage());
    }
  }

  private static long[] falling(int words) {
    return LongStream.range(0, words).map(word -> 1 + (words - word) * 3L).toArray();
  }

  @Test
  void countsOfAVocabularyMayBeInAnyOrder() {
    HuffmanTree falling = HuffmanTree.of(9, 5, 4, 1);
    HuffmanTree mixed = HuffmanTree.of(Vocabulary.inOrder(List.of("d", "a", "c", "b"), 1, 9, 4, 5));
    int[] places = {3, 0, 2, 1};
    for (int word = 0; word < 4; word++) {
      int from = falling.offsets()[places[word]];
      int to = falling.offsets()[places[word] + 1];
      int at = mixed.offsets()[word];
      assertEquals(to - from, mixed.offsets()[word + 1] - at);
      for (int i = from; i < to; i++) {
        assertEquals(falling.nodes()[i], mixed.nodes()[at + i - from]);
        assertEquals(falling.bits()[i], mixed.bits()[at + i - from]);
      }
    }
  }

  @Test
  void pathsMakeTheTreeTheyAreFromAndNoOther() {
    HuffmanTree tree = HuffmanTree.of(9, 5, 4, 1);
    HuffmanTree.of(tree.offsets(), tree.nodes(), tree.bits());
    for (int i = 0; i < tree.nodes().length; i++) {
      for (int node = -1; node < 4; node++) {
        int[] nodes = tree.nodes().clone();
        nodes[i] = node;
        if (node != tree.nodes()[i]) {
          assertThrows(
              IllegalArgumentException.class,
              () -> HuffmanTree.of(tree.offsets(), nodes, tree.bits()));
        }
      }
      byte[] bits = tree.bits().clone();
      bits[i] ^= 1;
      assertThrows(
          IllegalArgumentException.class, () -> HuffmanTree.of(tree.offsets(), tree.nodes(), bits));
    }
    int[] offsets = tree.offsets().clone();
    offsets[1] = -1;
    assertThrows(
        IllegalArgumentException.class, () -> HuffmanTree.of(offsets, tree.nodes(), tree.bits()));
    assertThrows(
        IllegalArgumentException.class,
        () -> HuffmanTree.of(new int[] {0, 1, 1}, new int[] {0}, new byte[] {0}));
  }

  @Test
  void codesMakeTheirTreeAgain() {
    for (HuffmanTree tree :
        List.of(
            HuffmanTree.of(90, 30, 11, 11, 7, 2, 1),
            HuffmanTree.balanced(13),
            HuffmanTree.balanced(2),
            HuffmanTree.balanced(1))) {
      String[] codes = IntStream.range(0, tree.size()).mapToObj(tree::code).toArray(String[]::new);
      HuffmanTree again = HuffmanTree.ofCodes(codes);
      assertArrayEquals(tree.offsets(), again.offsets());
      assertArrayEquals(tree.nodes(), again.nodes());
      assertArrayEquals(tree.bits(), again.bits());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"0,00", "00,0,1", "0,1,1", "0,10", "0,12,11", "0,,1", "1,0,01", "0,1,10"})
  void codesOfNoTreeAreRefused(String codes) {
    String[] words = codes.split(",", -1);
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> HuffmanTree.ofCodes(words));
    assertTrue(e.getMessage().contains("of a tree of " + words.length + " words"), e.getMessage());
  }

  @Test
  void stepsAreNodesAndBranches() {
    HuffmanTree tree = HuffmanTree.of(4, 2, 1);
    assertEquals(2, tree.longest());
    int[] steps = tree.steps();
    for (int i = 0; i < steps.length; i++) {
      assertEquals(2 * tree.nodes()[i] + tree.bits()[i], steps[i]);
    }
  }
}
