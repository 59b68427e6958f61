// SPDX-License-Identifier: Apache-2.0
package dev.weft.text;

import static dev.weft.format.Format.format;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * A binary tree over words, for hierarchical softmax (Morin and Bengio 2005, Mikolov et al. 2013):
 * V leaves and V - 1 inner nodes, each with a vector. The path of word w leads from the root over
 * the inner nodes {@code nodes[i]}, i in {@code offsets[w]..offsets[w + 1] - 1}, and takes branch
 * {@code bits[i]} at each:
 *
 * <pre>
 *   P(w | h) = Π σ((1 - 2 bits[i]) v(nodes[i]) · h)
 * </pre>
 *
 * <p>Inner nodes are numbered by level, from the root, 0, on, and within a level by their parents,
 * branch 0 before branch 1: those that most paths share lie together. A tree that is {@link
 * #joined} has its root, the nodes of the first tree and those of the second one. The path of the
 * only word of a vocabulary has no node, and its probability is 1.
 */
public final class HuffmanTree {
  /** The most inner nodes on a path. */
  public static final int LONGEST = 64;

  private final int[] offsets;
  private final int[] nodes;
  private final byte[] bits;

  /**
   * The tree of the shortest mean code (Huffman 1952), merged as word2vec.c does it: of a word and
   * an inner node of the same count the inner node comes first, and the second of two that are
   * merged is branch 1.
   *
   * <p>A path of more than {@link #LONGEST} nodes takes a text of at least F(67) =
   * 44,945,570,212,853 words, F being Fibonacci's numbers.
   *
   * @param counts how often each word occurs, falling
   * @throws IllegalArgumentException if there is no word, a count is not positive or more than the
   *     one before it, or a path would be longer than {@link #LONGEST}
   * @throws ArithmeticException if the counts add up to 2^63 or more
   */
  public static HuffmanTree of(long... counts) {
    for (int word = 0; word < counts.length; word++) {
      checkCount(counts, word);
    }
    return of(counts, IntStream.range(0, counts.length).toArray());
  }

  /** The tree of words by their falling counts, {@code order[i]} being the word of the i-th. */
  private static HuffmanTree of(long[] counts, int[] order) {
    checkSize(counts.length);
    int words = counts.length;
    long[] inner = new long[words - 1]; // the counts of inner nodes, rising
    int[] children = new int[2 * (words - 1)];
    int leaf = words - 1;
    int next = 0;
    for (int made = 0; made < inner.length; made++) {
      for (int branch = 0; branch < 2; branch++) {
        boolean takesLeaf = leaf >= 0 && (next == made || counts[leaf] < inner[next]);
        children[2 * made + branch] = takesLeaf ? order[leaf] : words + next;
        inner[made] = Math.addExact(inner[made], takesLeaf ? counts[leaf] : inner[next]);
        leaf -= takesLeaf ? 1 : 0;
        next += takesLeaf ? 0 : 1;
      }
    }
    return new HuffmanTree(words, children);
  }

  /**
   * The tree of a vocabulary's words by their counts, in whatever order they are; of equal counts
   * the first word comes first.
   *
   * @throws IllegalArgumentException if a count is not positive, a path would be longer than {@link
   *     #LONGEST}, or all paths than 2^31 - 1
   */
  public static HuffmanTree of(Vocabulary vocabulary) {
    int[] order =
        IntStream.range(0, vocabulary.size())
            .boxed()
            .sorted(Comparator.comparingLong(word -> -vocabulary.count(word)))
            .mapToInt(Integer::intValue)
            .toArray();
    long[] counts = IntStream.of(order).mapToLong(vocabulary::count).toArray();
    if (counts[counts.length - 1] < 1) {
      String word = vocabulary.word(order[order.length - 1]);
      throw new IllegalArgumentException(
          format(
              "the word '%s' has a count of %d; a code takes 1 or more",
              word, counts[counts.length - 1]));
    }
    return of(counts, order);
  }

  /**
   * The tree whose paths differ in length by at most 1; the first words have the shorter ones.
   *
   * @throws IllegalArgumentException if there is no word
   */
  public static HuffmanTree balanced(int words) {
    checkSize(words);
    // a heap: the children of place i are 2 i + 1 and 2 i + 2, inner nodes come before leaves
    int last = words - 2;
    int[] children = new int[2 * (words - 1)];
    for (int place = 1; place < 2 * words - 1; place++) {
      int parent = (place - 1) / 2;
      children[2 * (last - parent) + (place - 1) % 2] =
          place > last ? place - words + 1 : words + last - place;
    }
    return new HuffmanTree(words, children);
  }

  /**
   * A tree by its paths, which are not copied.
   *
   * @param offsets where each word's path begins, and where the last one ends
   * @throws IllegalArgumentException if these are no paths of one tree of V words and V - 1 inner
   *     nodes, or one is longer than {@link #LONGEST}
   */
  public static HuffmanTree of(int[] offsets, int[] nodes, byte[] bits) {
    return new HuffmanTree(offsets, nodes, bits);
  }

  private HuffmanTree(int[] offsets, int[] nodes, byte[] bits) {
    this.offsets = offsets;
    this.nodes = nodes;
    this.bits = bits;
    int words = offsets.length - 1;
    checkSize(words);
    if (offsets[0] != 0 || offsets[words] != nodes.length || nodes.length != bits.length) {
      throw new IllegalArgumentException(
          format(
              "paths from %d to %d, %d nodes and %d branches are no tree",
              offsets[0], offsets[words], nodes.length, bits.length));
    }
    int[] children = new int[2 * (words - 1)]; // of each branch: 1 + a word, or - 1 - a node
    for (int word = 0; word < words; word++) {
      int end = offsets[word + 1];
      int length = end - offsets[word];
      boolean path = length >= 0 && length <= LONGEST && end <= nodes.length;
      path = path && (length > 0 ? nodes[offsets[word]] == nodes[0] : words == 1);
      for (int i = offsets[word]; path && i < end; i++) {
        path = nodes[i] >= 0 && nodes[i] < words - 1 && bits[i] >> 1 == 0;
        if (path) {
          int branch = 2 * nodes[i] + bits[i];
          boolean last = i + 1 == end;
          int child = last ? 1 + word : -1 - nodes[i + 1];
          path = children[branch] == 0 || !last && children[branch] == child;
          children[branch] = child;
        }
      }
      if (!path) {
        throw new IllegalArgumentException(
            format("the path of word %d is none in the tree of the words before it", word));
      }
    }
    for (int branch = 0; branch < children.length; branch++) {
      if (children[branch] == 0) {
        throw new IllegalArgumentException(
            format("branch %d of inner node %d leads to no word", branch % 2, branch / 2));
      }
    }
  }

  /**
   * This tree's words and then those of another one: a new root leads by branch 0 to this tree and
   * by branch 1 to the other. Each path is one node longer; the root is inner node 0, this tree's
   * inner nodes follow it in their order and part what they parted, and then the other's.
   *
   * @throws IllegalArgumentException if a path would be longer than {@link #LONGEST}, or the words
   *     are too many
   */
  public HuffmanTree joined(HuffmanTree other) {
    int words = size();
    int longest = 1 + Math.max(longest(), other.longest());
    if (longest > LONGEST) {
      throw new IllegalArgumentException(
          format(
              "two trees were to be joined, and the longest path would have %d inner nodes, %d at"
                  + " most: a tree that is made anew of all words has shorter paths",
              longest, LONGEST));
    }
    checkSize(Math.addExact(words, other.size()));
    int[] allOffsets = new int[words + other.size() + 1];
    long steps = (long) nodes.length + other.nodes.length + words + other.size();
    int[] allNodes = new int[checkedSteps(steps, words + other.size())];
    byte[] allBits = new byte[allNodes.length];
    for (int word = 0; word < allOffsets.length - 1; word++) {
      boolean mine = word < words;
      HuffmanTree from = mine ? this : other;
      int start = from.offsets[mine ? word : word - words];
      int length = from.offsets[(mine ? word : word - words) + 1] - start;
      int at = allOffsets[word];
      allOffsets[word + 1] = at + length + 1;
      allNodes[at] = 0; // the root
      allBits[at] = (byte) (mine ? 0 : 1);
      for (int i = 0; i < length; i++) {
        allNodes[at + 1 + i] = from.nodes[start + i] + (mine ? 1 : words);
        allBits[at + 1 + i] = from.bits[start + i];
      }
    }
    return of(allOffsets, allNodes, allBits);
  }

  /**
   * The tree in which words have these codes, texts of 0 and 1: the branches from the root on.
   *
   * @throws IllegalArgumentException if there is no word, or the codes are not those of a tree, in
   *     which each inner node has two branches and each word is a leaf
   */
  public static HuffmanTree ofCodes(String... codes) {
    checkSize(codes.length);
    int words = codes.length;
    int[] children = new int[2 * (words - 1)]; // -1 where none is known
    Arrays.fill(children, -1);
    int inner = Math.min(1, words - 1);
    for (int word = 0; word < words; word++) {
      int node = 0; // inner nodes as they are met, the root first, and last in the tree
      String code = codes[word];
      for (int i = 0; i < code.length() || (words > 1 && code.isEmpty()); i++) {
        int branch = i < code.length() ? code.charAt(i) - '0' : -1;
        int place = 2 * (words - 2 - node) + branch;
        boolean last = i + 1 == code.length();
        if ((branch != 0 && branch != 1)
            || words == 1
            || (children[place] >= 0 && (last || children[place] < words))
            || (children[place] < 0 && !last && inner == words - 1)) {
          throw new IllegalArgumentException(
              format(
                  "the code '%s' of word %d is not one of a tree of %d words", code, word, words));
        }
        if (children[place] < 0) {
          children[place] = last ? word : words + words - 2 - inner++;
        }
        node = last ? node : words - 2 - (children[place] - words);
      }
    }
    return new HuffmanTree(words, children);
  }

  private static void checkSize(int words) {
    if (words < 1 || words > 1 << 30) {
      throw new IllegalArgumentException(format("a tree has 1 to 2^30 words, not %,d", words));
    }
  }

  private static int checkedSteps(long steps, int words) {
    if (steps > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          format("the paths of %,d words have more than 2^31 - 1 steps: take fewer words", words));
    }
    return (int) steps;
  }

  private static void checkCount(long[] counts, int word) {
    if (counts[word] < 1) {
      throw new IllegalArgumentException(
          format("word %d has a count of %d; a code takes 1 or more", word, counts[word]));
    }
    if (word > 0 && counts[word] > counts[word - 1]) {
      throw new IllegalArgumentException(
          format(
              "word %d has a count of %d, word %d before it one of %d; counts must fall",
              word, counts[word], word - 1, counts[word - 1]));
    }
  }

  /**
   * The paths of a tree.
   *
   * @param children of inner node i, {@code [2 i]} and {@code [2 i + 1]}: a word, or {@code words}
   *     plus an inner node; the last inner node is the root
   */
  private HuffmanTree(int words, int[] children) {
    int[] order = new int[words - 1]; // inner nodes by their numbers
    int[] parents = new int[2 * words - 1]; // their numbers
    byte[] branches = new byte[2 * words - 1];
    int[] depths = new int[2 * words - 1];
    int numbered = 0;
    if (words > 1) {
      order[numbered++] = words - 2;
    }
    for (int number = 0; number < words - 1; number++) {
      for (int branch = 0; branch < 2; branch++) {
        int child = children[2 * order[number] + branch];
        parents[child] = number;
        branches[child] = (byte) branch;
        depths[child] = depths[words + order[number]] + 1;
        if (child >= words) {
          order[numbered++] = child - words;
        }
      }
    }
    offsets = new int[words + 1];
    for (int word = 0; word < words; word++) {
      if (depths[word] > LONGEST) {
        throw new IllegalArgumentException(
            format("the code of word %d has %d bits, the longest %d", word, depths[word], LONGEST));
      }
      offsets[word + 1] = checkedSteps((long) offsets[word] + depths[word], words);
    }
    nodes = new int[offsets[words]];
    bits = new byte[offsets[words]];
    for (int word = 0; word < words; word++) {
      int node = word;
      for (int i = offsets[word + 1] - 1; i >= offsets[word]; i--) {
        nodes[i] = parents[node];
        bits[i] = branches[node];
        node = words + order[nodes[i]];
      }
    }
  }

  /** The number of words. */
  public int size() {
    return offsets.length - 1;
  }

  /** Where the paths of words begin, and where the last one ends; the tree's own array. */
  public int[] offsets() {
    return offsets;
  }

  /** The branches on the way to a word, a text of 0 and 1. */
  public String code(int word) {
    StringBuilder code = new StringBuilder();
    for (int i = offsets[word]; i < offsets[word + 1]; i++) {
      code.append(bits[i]);
    }
    return code.toString();
  }

  /** The steps of all paths, 2 node + bit, in one array. */
  public int[] steps() {
    int[] steps = new int[nodes.length];
    for (int i = 0; i < steps.length; i++) {
      steps[i] = 2 * nodes[i] + bits[i];
    }
    return steps;
  }

  /** The number of inner nodes on the longest path. */
  public int longest() {
    int longest = 0;
    for (int word = 0; word < size(); word++) {
      longest = Math.max(longest, offsets[word + 1] - offsets[word]);
    }
    return longest;
  }

  /** The inner nodes of all paths; the tree's own array. */
  public int[] nodes() {
    return nodes;
  }

  /** The branches of all paths, 0 or 1; the tree's own array. */
  public byte[] bits() {
    return bits;
  }
}
