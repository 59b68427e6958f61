// SPDX-License-Identifier: Apache-2.0
package dev.weft.embed;

import dev.weft.text.Vocabulary;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * P(w | context) as a model was trained for it, in logarithms.
 *
 * @param input x of each word
 * @param output y of each word; with a tree, of each inner node
 * @param tree of a hierarchical softmax
 */
record WordProbabilities(
    Word2Vec settings, Vocabulary words, Vectors input, Rows output, @Nullable SoftmaxTree tree) {

  /** The vectors of words, but for those that point nowhere. */
  List<float[]> vectorsOf(List<String> around) {
    if (around.isEmpty()) {
      throw new IllegalArgumentException("no word around the place is given");
    }
    return around.stream()
        .map(input::vector)
        .filter(x -> Rows.isDirection(Rows.norm(x, 0, x.length)))
        .toList();
  }

  /**
   * Of each word at a place, given the vectors of words around it, of which there is at least one.
   */
  double[] given(List<float[]> around) {
    if (settings.model() == Word2Vec.Model.CBOW) {
      return given(mean(around));
    }
    double[] sum = new double[words.size()];
    for (float[] x : around) {
      double[] one = given(x);
      Arrays.setAll(sum, w -> sum[w] + one[w]);
    }
    if (around.size() > 1) {
      Arrays.setAll(sum, w -> sum[w] - (around.size() - 1) * logPrior(w));
      normalize(sum);
    }
    return sum;
  }

  private double[] given(float[] x) {
    if (tree != null) {
      return tree.logProbabilities(x);
    }
    float[] scores = output.dots(x);
    double[] logs = new double[scores.length];
    double[] noise =
        settings.objective() == Word2Vec.Objective.NEGATIVE_SAMPLING ? logNoise() : null;
    Arrays.setAll(
        logs, w -> noise == null ? scores[w] : SoftmaxTree.logSigmoid(scores[w] + noise[w]));
    normalize(logs);
    return logs;
  }

  /** How often a word is drawn as noise for a place; of one that has no count, never. */
  private double[] logNoise() {
    double[] noise = new double[words.size()];
    Arrays.setAll(
        noise, w -> words.count(w) == 0 ? 0 : Math.pow(words.count(w), settings.noisePower()));
    double total = Arrays.stream(noise).sum();
    Arrays.setAll(noise, w -> Math.log(settings.negatives() * noise[w] / total));
    return noise;
  }

  /** Of the places of a text that was thinned, but for a constant. */
  private double logPrior(int word) {
    return Math.log(words.count(word) * settings.stays(words, word));
  }

  static float[] mean(List<float[]> vectors) {
    double[] sum = new double[vectors.getFirst().length];
    vectors.forEach(x -> Arrays.setAll(sum, i -> sum[i] + x[i]));
    float[] mean = new float[sum.length];
    for (int i = 0; i < mean.length; i++) {
      mean[i] = (float) (sum[i] / vectors.size());
    }
    return mean;
  }

  /** Makes them add up to 1; what is not finite is impossible. */
  private static void normalize(double[] logs) {
    Arrays.setAll(logs, w -> Double.isFinite(logs[w]) ? logs[w] : Double.NEGATIVE_INFINITY);
    double most = Arrays.stream(logs).max().orElseThrow();
    double sum = Arrays.stream(logs).map(log -> Math.exp(log - most)).sum();
    double log = most + Math.log(sum);
    if (Double.isFinite(log)) {
      Arrays.setAll(logs, w -> logs[w] - log);
    }
  }

  /** The n likeliest words, those of equal probability by their numbers. */
  List<Prediction> best(double[] logs, int n) {
    Comparator<Integer> worst =
        Comparator.comparingDouble((Integer w) -> logs[w]).thenComparing(w -> -w);
    PriorityQueue<Integer> best = new PriorityQueue<>(worst);
    for (int w = 0; w < logs.length; w++) {
      if (logs[w] > Double.NEGATIVE_INFINITY) {
        best.add(w);
        if (best.size() > n) {
          best.remove();
        }
      }
    }
    return best.stream()
        .sorted(worst.reversed())
        .map(w -> new Prediction(words.word(w), Math.exp(logs[w])))
        .toList();
  }
}
