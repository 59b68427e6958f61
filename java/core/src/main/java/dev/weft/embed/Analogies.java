// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static dev.weft.format.Format.format;

import dev.weft.Device;
import dev.weft.io.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Questions "a is to b as c is to d" in sections, and how many of them vectors answer.
 *
 * <p>Only the first {@code limit} rows count. A question is asked where all four of its words are
 * among them, case aside; of several rows that are equal then, the first is meant. Rows a, b and c
 * are no answers. A question with a word that points nowhere is asked, and answered wrongly.
 */
public final class Analogies {
  private static final int SEMANTIC = 5; // sections of questions-words, the first
  private static final int GENSIM_TRIES = 5;

  private final Map<String, List<String[]>> sections;

  private Analogies(Map<String, List<String[]>> sections) {
    this.sections = sections;
  }

  /** Whose answer counts, and how case is folded. */
  public enum Rule {
    /**
     * compute-accuracy of word2vec.c: the best row with a score above 0, right where it is d in
     * upper case. Case is that of ASCII.
     */
    WORD2VEC(1),
    /**
     * {@code evaluate_word_analogies} of gensim: among the best five rows the first that is not a,
     * b or c in upper case, or the fifth where all are. Case is that of Unicode.
     */
    GENSIM(GENSIM_TRIES);

    private final int tries;

    Rule(int tries) {
      this.tries = tries;
    }

    private String upper(String word) {
      if (this == GENSIM) {
        return word.toUpperCase(Locale.ROOT);
      }
      StringBuilder upper = new StringBuilder(word);
      for (int i = 0; i < upper.length(); i++) {
        char c = upper.charAt(i);
        upper.setCharAt(i, c >= 'a' && c <= 'z' ? (char) (c - 'a' + 'A') : c);
      }
      return upper.toString();
    }
  }

  /**
   * How a section went.
   *
   * @param questions in the file
   * @param asked of them
   * @param right of those
   */
  public record Section(String name, int questions, int asked, int right) {
    /** The share of right answers among those asked; 0 of none. */
    public double accuracy() {
      return asked == 0 ? 0 : (double) right / asked;
    }

    private Section plus(Section other) {
      return new Section(
          name, questions + other.questions, asked + other.asked, right + other.right);
    }
  }

  /** How all sections went, in the file's order. */
  public record Result(List<Section> sections) {
    /** All questions. */
    public Section total() {
      return sum("total", sections);
    }

    /** Those of the first five sections, which are about things in questions-words. */
    public Section semantic() {
      return sum("semantic", sections.subList(0, Math.min(SEMANTIC, sections.size())));
    }

    /** Those of the other sections, which are about grammar in questions-words. */
    public Section syntactic() {
      return sum(
          "syntactic", sections.subList(Math.min(SEMANTIC, sections.size()), sections.size()));
    }

    private static Section sum(String name, List<Section> sections) {
      return sections.stream().reduce(new Section(name, 0, 0, 0), Section::plus);
    }
  }

  /**
   * Reads a file in the form of questions-words.txt: a line {@code : name} begins a section, each
   * other line is the four words of a question.
   *
   * @throws FormatException where a line is neither, or a question stands before all sections
   * @throws IOException where it cannot be read
   */
  public static Analogies read(Path path) throws IOException {
    Map<String, List<String[]>> sections = new LinkedHashMap<>();
    List<String[]> section = null;
    try (TextLines lines = new TextLines(path, 1 << 16)) {
      while (lines.next()) {
        String line = lines.text().strip();
        String[] words = line.split("\\s+");
        if (line.startsWith(":")) {
          section = sections.computeIfAbsent(line.substring(1).strip(), name -> new ArrayList<>());
        } else if (words.length == 4 && section != null) {
          section.add(words);
        } else if (!line.isEmpty()) {
          throw lines.wrong(
              section == null
                  ? "the first line names a section, such as ': family'"
                  : format("a question is four words, not %d", words.length));
        }
      }
    }
    if (sections.isEmpty()) {
      throw new FormatException(path, 0, "no section; a line such as ': family' begins one");
    }
    return new Analogies(sections);
  }

  /**
   * Asks all questions at once.
   *
   * @param device to compute on
   * @param limit rows that count, at most; compute-accuracy is usually given 30,000
   * @throws IllegalArgumentException where the limit is below 1
   */
  public Result evaluate(Vectors vectors, Device device, int limit, Rule rule, AnalogyScore score) {
    if (limit < 1) {
      throw new IllegalArgumentException("at least 1 word must count, not " + limit);
    }
    int rows = Math.min(limit, vectors.size());
    Map<String, Integer> known = new HashMap<>();
    for (int i = 0; i < rows; i++) {
      known.putIfAbsent(rule.upper(vectors.word(i)), i);
    }
    List<int[]> asked = new ArrayList<>();
    List<Top> best = new ArrayList<>();
    for (String[] words :
        (Iterable<String[]>) sections.values().stream().flatMap(List::stream)::iterator) {
      int[] numbers = numbers(known, words, rule);
      if (numbers.length > 0) {
        asked.add(numbers);
        best.add(vectors.top(rule.tries, numbers[0], numbers[1], numbers[2]));
      }
    }
    vectors.answer(
        device, i -> vectors.analogy(asked.get(i), score), best, Vectors.rule(score), rows);
    List<Section> results = new ArrayList<>();
    int at = 0;
    for (Map.Entry<String, List<String[]>> section : sections.entrySet()) {
      int begin = at;
      int right = 0;
      for (String[] words : section.getValue()) {
        if (numbers(known, words, rule).length > 0) {
          right += isRight(vectors, rule, words, asked.get(at), best.get(at)) ? 1 : 0;
          at++;
        }
      }
      results.add(new Section(section.getKey(), section.getValue().size(), at - begin, right));
    }
    return new Result(List.copyOf(results));
  }

  /** The rows of a, b and c; none where one of the four words is not known. */
  private static int[] numbers(Map<String, Integer> known, String[] words, Rule rule) {
    int[] numbers =
        Arrays.stream(words).mapToInt(word -> known.getOrDefault(rule.upper(word), -1)).toArray();
    return Arrays.stream(numbers).anyMatch(row -> row < 0) ? new int[0] : Arrays.copyOf(numbers, 3);
  }

  private static boolean isRight(
      Vectors vectors, Rule rule, String[] words, int[] asked, Top best) {
    if (!Arrays.stream(asked).allMatch(vectors::isDirection)) {
      return false;
    }
    Set<String> ignored =
        rule == Rule.WORD2VEC
            ? Set.of()
            : Set.copyOf(Arrays.stream(words).limit(3).map(rule::upper).toList());
    String answer = "";
    for (Top.Hit hit : best.take()) {
      answer = rule == Rule.GENSIM || hit.score() > 0 ? rule.upper(vectors.word(hit.row())) : "";
      if (!ignored.contains(answer)) {
        break;
      }
    }
    return answer.equals(rule.upper(words[3]));
  }
}
