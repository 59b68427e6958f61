// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import static dev.weft.format.Format.format;

import dev.weft.io.FormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Pairs of words whose likeness people have judged, such as WordSim-353 and MEN, and how well the
 * cosines of vectors agree with them.
 *
 * <p>As gensim's {@code evaluate_word_pairs}: only the first {@code limit} rows count, case aside,
 * of equal ones the first; pairs with a word that is not among them are left out and counted.
 */
public final class WordPairs {
  private final List<Pair> pairs;

  private record Pair(String a, String b, double judged) {}

  /**
   * How the two agree.
   *
   * @param pairs in the file
   * @param unseen of them, left out
   * @param spearman the correlation of ranks, equal values at the mean of theirs; NaN where either
   *     has fewer than two different values
   * @param pearson the correlation of values; NaN likewise
   */
  public record Result(int pairs, int unseen, double spearman, double pearson) {
    /** The share of pairs that were left out; 0 of none. */
    public double unseenShare() {
      return pairs == 0 ? 0 : (double) unseen / pairs;
    }
  }

  private WordPairs(List<Pair> pairs) {
    this.pairs = pairs;
  }

  /**
   * Reads a file of lines {@code word word number}, apart by tabs or, where there are none, by
   * spaces; lines that begin with {@code #} are comments.
   *
   * @throws FormatException where a line is something else
   * @throws IOException where it cannot be read
   */
  public static WordPairs read(Path path) throws IOException {
    List<Pair> pairs = new ArrayList<>();
    Decimal decimal = new Decimal();
    try (TextLines lines = new TextLines(path, 1 << 16)) {
      while (lines.next()) {
        String line = lines.text().strip();
        if (line.isEmpty() || line.startsWith("#")) {
          continue;
        }
        String[] parts = line.split(line.contains("\t") ? "\t" : "\\s+");
        byte[] number = parts[parts.length - 1].getBytes(StandardCharsets.UTF_8);
        boolean valid = decimal.parse(number, 0, number.length) && Float.isFinite(decimal.value());
        if (parts.length != 3 || !valid) {
          throw lines.wrong(format("two words and a number are expected, not '%s'", line));
        }
        pairs.add(new Pair(parts[0], parts[1], Double.parseDouble(parts[2])));
      }
    }
    if (pairs.isEmpty()) {
      throw new FormatException(path, 0, "no line holds two words and a number");
    }
    return new WordPairs(pairs);
  }

  /**
   * Compares judged likeness with cosines.
   *
   * @param limit rows that count, at most
   * @throws IllegalArgumentException where the limit is below 1
   */
  public Result evaluate(Vectors vectors, int limit) {
    if (limit < 1) {
      throw new IllegalArgumentException("at least 1 word must count, not " + limit);
    }
    Map<String, Integer> known = new HashMap<>();
    for (int i = 0; i < Math.min(limit, vectors.size()); i++) {
      known.putIfAbsent(vectors.word(i).toUpperCase(Locale.ROOT), i);
    }
    List<double[]> both = new ArrayList<>();
    for (Pair pair : pairs) {
      Integer a = known.get(pair.a.toUpperCase(Locale.ROOT));
      Integer b = known.get(pair.b.toUpperCase(Locale.ROOT));
      if (a != null && b != null) {
        both.add(new double[] {pair.judged, vectors.similarity(a, b)});
      }
    }
    double[] judged = both.stream().mapToDouble(each -> each[0]).toArray();
    double[] cosines = both.stream().mapToDouble(each -> each[1]).toArray();
    return new Result(
        pairs.size(),
        pairs.size() - both.size(),
        pearson(ranks(judged), ranks(cosines)),
        pearson(judged, cosines));
  }

  /** Ranks from 1 on; equal values have the mean of theirs. */
  static double[] ranks(double[] values) {
    int[] order =
        IntStream.range(0, values.length)
            .boxed()
            .sorted((i, j) -> Double.compare(values[i], values[j]))
            .mapToInt(i -> i)
            .toArray();
    double[] ranks = new double[values.length];
    for (int from = 0; from < order.length; ) {
      int to = from + 1;
      while (to < order.length && values[order[to]] == values[order[from]]) {
        to++;
      }
      for (int i = from; i < to; i++) {
        ranks[order[i]] = (from + 1 + to) / 2.0;
      }
      from = to;
    }
    return ranks;
  }

  /** The correlation of two lists; NaN where one of them does not vary. */
  static double pearson(double[] x, double[] y) {
    double meanX = Arrays.stream(x).average().orElse(Double.NaN);
    double meanY = Arrays.stream(y).average().orElse(Double.NaN);
    double xx = 0;
    double yy = 0;
    double xy = 0;
    for (int i = 0; i < x.length; i++) {
      xx += (x[i] - meanX) * (x[i] - meanX);
      yy += (y[i] - meanY) * (y[i] - meanY);
      xy += (x[i] - meanX) * (y[i] - meanY);
    }
    return xy / Math.sqrt(xx * yy);
  }
}
