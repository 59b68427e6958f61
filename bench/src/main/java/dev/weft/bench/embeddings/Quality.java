// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.embeddings;

import dev.weft.Device;
import dev.weft.bench.report.VectorTraining;
import dev.weft.embed.Analogies;
import dev.weft.embed.AnalogyScore;
import dev.weft.embed.Vectors;
import dev.weft.embed.WordPairs;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What vectors are asked, by one rule for those of every side. */
public final class Quality {
  private static final int LIMIT = 30_000;

  private final Analogies analogies;
  private final Map<String, WordPairs> pairs = new LinkedHashMap<>();

  private Quality(Analogies analogies) {
    this.analogies = analogies;
  }

  /**
   * Reads questions.
   *
   * @param questions in the form of questions-words.txt; null for none
   * @param pairs files of judged pairs
   */
  public static Quality read(Path questions, List<Path> pairs) throws IOException {
    Quality quality = new Quality(questions == null ? null : Analogies.read(questions));
    for (Path file : pairs) {
      String name = file.getFileName().toString();
      quality.pairs.put(name.replaceFirst("\\.[^.]*$", ""), WordPairs.read(file));
    }
    return quality;
  }

  /** Shares of analogies and correlations of pairs, among the first 30,000 words of a file. */
  Map<String, Double> of(Path vectors, int threads) throws IOException {
    Map<String, Double> all = new LinkedHashMap<>();
    if (analogies == null && pairs.isEmpty()) {
      return all;
    }
    try (Vectors opened = Vectors.open(vectors);
        Device device = Device.cpu(threads)) {
      if (analogies != null) {
        Analogies.Result result =
            analogies.evaluate(opened, device, LIMIT, Analogies.Rule.WORD2VEC, AnalogyScore.ADD);
        all.put(VectorTraining.ANALOGIES, result.total().accuracy());
        all.put(VectorTraining.ANALOGIES + ", semantic", result.semantic().accuracy());
        all.put(VectorTraining.ANALOGIES + ", syntactic", result.syntactic().accuracy());
      }
      pairs.forEach((name, each) -> all.put(name, each.evaluate(opened, LIMIT).spearman()));
    }
    return all;
  }
}
