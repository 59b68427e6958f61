// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static dev.weft.format.Format.format;

import dev.weft.op.LossReduction;
import dev.weft.op.MatMul;
import dev.weft.op.MultiClassHingeOperation;
import dev.weft.op.NegativeSamples;
import dev.weft.op.Operands;
import dev.weft.op.PathLossOperation;
import dev.weft.op.RowWeights;
import dev.weft.op.SoftmaxCrossEntropyDistributionOperation;
import dev.weft.op.SoftmaxCrossEntropyDistributionOperation.Kind;
import dev.weft.op.SoftmaxCrossEntropyOperation;
import java.util.List;

/**
 * The losses: from what a model gave and what it should have given to one number, or one a row.
 * {@link Operations} says what holds for all.
 */
public interface LossOperations extends MatrixOperations, ReductionOperations, ValueLossOperations {

  /**
   * The mean cross-entropy of softmax(logits) (rows, classes) against class labels (rows), int32;
   * NaN where a label is outside 0..classes-1.
   *
   * @throws IllegalArgumentException with both shapes, where they do not fit
   */
  default Tensor softmaxCrossEntropy(Tensor logits, Tensor labels) {
    return apply(new SoftmaxCrossEntropyOperation(0), logits, labels);
  }

  /**
   * The mean cross-entropy of softmax(logits) (rows, classes) against class labels (rows), int32,
   * smoothed: -Σ_c q_c log softmax(logits)_c with q = (1 - smoothing) onehot(label) + smoothing /
   * classes (Szegedy et al. 2016).
   *
   * @param smoothing the share of probability that is spread over all classes, in [0, 1)
   * @throws IllegalArgumentException with both shapes, where they do not fit, or where {@code
   *     smoothing} is outside its range
   */
  default Tensor softmaxCrossEntropy(Tensor logits, Tensor labels, double smoothing) {
    return apply(new SoftmaxCrossEntropyOperation(smoothing), logits, labels);
  }

  /**
   * The weighted mean over rows of the {@link #softmaxCrossEntropy(Tensor, Tensor, double)} l of
   * each, Σ_r w_r l_r / Σ_r w_r; 0, with a gradient of 0, where all weights are 0. A row of weight
   * 0 counts nothing whatever it holds.
   *
   * @param weights (rows), without gradient
   * @throws IllegalArgumentException with the shapes, where they do not fit, where the weights want
   *     a gradient, or where {@code smoothing} is outside its range
   */
  default Tensor softmaxCrossEntropy(
      Tensor logits, Tensor labels, Tensor weights, double smoothing) {
    var loss = new SoftmaxCrossEntropyOperation(smoothing, LossReduction.SUM, RowWeights.GIVEN);
    Operands operands = Operands.floatingAndInt32("logits", "labels").andFloating("weights");
    check(loss.name(), operands, logits, labels, weights);
    RowWeights.check(loss.name(), List.of("logits", "labels", "weights"), logits, labels, weights);
    return apply(loss, logits, labels, RowWeights.shares(this, weights, weights));
  }

  /**
   * The mean cross-entropy of softmax(logits) (rows, classes) against distributions q (rows,
   * classes), or (classes) for all rows: -Σ_c q_c log softmax(logits)_c.
   *
   * @param q probabilities, without gradient
   * @throws IllegalArgumentException with both shapes, where they do not fit
   */
  default Tensor crossEntropyOfDistributions(Tensor logits, Tensor q) {
    return distribution(Kind.CROSS_ENTROPY, logits, q);
  }

  /**
   * The mean by weights of rows of {@link #crossEntropyOfDistributions(Tensor, Tensor)}, as in
   * {@link #softmaxCrossEntropy(Tensor, Tensor, Tensor, double)}.
   *
   * @param q probabilities, without gradient
   * @param weights (rows), without gradient
   * @throws IllegalArgumentException with the shapes, where they do not fit
   */
  default Tensor crossEntropyOfDistributions(Tensor logits, Tensor q, Tensor weights) {
    return distribution(Kind.CROSS_ENTROPY, logits, q, weights);
  }

  /**
   * The mean over rows of the Kullback-Leibler divergence of softmax(logits) (rows, classes) from
   * distributions q (rows, classes), or (classes) for all rows: Σ_c q_c (log q_c - log
   * softmax(logits)_c), which is 0 where they are equal.
   *
   * @param q probabilities, without gradient
   * @throws IllegalArgumentException with both shapes, where they do not fit
   */
  default Tensor klDivergence(Tensor logits, Tensor q) {
    return distribution(Kind.KL_DIVERGENCE, logits, q);
  }

  /**
   * The mean by weights of rows of {@link #klDivergence(Tensor, Tensor)}, as in {@link
   * #softmaxCrossEntropy(Tensor, Tensor, Tensor, double)}.
   *
   * @param q probabilities, without gradient
   * @param weights (rows), without gradient
   * @throws IllegalArgumentException with the shapes, where they do not fit
   */
  default Tensor klDivergence(Tensor logits, Tensor q, Tensor weights) {
    return distribution(Kind.KL_DIVERGENCE, logits, q, weights);
  }

  private Tensor distribution(Kind kind, Tensor logits, Tensor q) {
    var loss =
        new SoftmaxCrossEntropyDistributionOperation(kind, LossReduction.MEAN, RowWeights.EQUAL);
    check(loss.name(), Operands.floating("logits", "q"), logits, q);
    return apply(loss, logits, wide(q));
  }

  private Tensor distribution(Kind kind, Tensor logits, Tensor q, Tensor weights) {
    var loss =
        new SoftmaxCrossEntropyDistributionOperation(kind, LossReduction.SUM, RowWeights.GIVEN);
    check(loss.name(), Operands.floating("logits", "q").andFloating("weights"), logits, q, weights);
    RowWeights.check(loss.name(), List.of("logits", "q", "weights"), logits, q, weights);
    return apply(loss, logits, wide(q), RowWeights.shares(this, weights, weights));
  }

  /**
   * The mean over rows of Σ_{j ≠ k} max(0, margin + x_j - x_k) for scores x (rows, classes) and
   * class labels k (rows), int32 (Weston and Watkins 1999); NaN where a label is outside
   * 0..classes-1.
   *
   * @param margin positive and finite; 1 is usual
   * @throws IllegalArgumentException with both shapes, where they do not fit, or where {@code
   *     margin} is outside its range
   */
  default Tensor multiClassHinge(Tensor x, Tensor labels, double margin) {
    var loss = new MultiClassHingeOperation(margin, LossReduction.MEAN, RowWeights.EQUAL);
    return apply(loss, x, labels);
  }

  /**
   * The mean by weights of rows of {@link #multiClassHinge(Tensor, Tensor, double)}, as in {@link
   * #softmaxCrossEntropy(Tensor, Tensor, Tensor, double)}.
   *
   * @param weights (rows), without gradient
   * @param margin positive and finite; 1 is usual
   * @throws IllegalArgumentException with the shapes, where they do not fit, or where {@code
   *     margin} is outside its range
   */
  default Tensor multiClassHinge(Tensor x, Tensor labels, Tensor weights, double margin) {
    var loss = new MultiClassHingeOperation(margin, LossReduction.SUM, RowWeights.GIVEN);
    Operands operands = Operands.floatingAndInt32("x", "labels").andFloating("weights");
    check(loss.name(), operands, x, labels, weights);
    RowWeights.check(loss.name(), List.of("x", "labels", "weights"), x, labels, weights);
    return apply(loss, x, labels, RowWeights.shares(this, weights, weights));
  }

  /**
   * The logistic loss of each row of x (n, cols) along a path of its own through rows of {@code
   * table} (rows, cols): steps are 2 row + branch, int32 (n, length), -1 where there is none, and
   * branch 0 is right where the product with the row is large. See {@link PathLossOperation}.
   *
   * <p>With {@link #negativeSamples} this is negative sampling.
   *
   * @return (n), NaN where a step is to no row of the table
   * @throws IllegalArgumentException with the shapes, where they do not fit
   */
  default Tensor pathLosses(Tensor x, Tensor table, Tensor steps) {
    return apply(new PathLossOperation(0), x, table, steps);
  }

  /**
   * The same along paths that rows share: path p has the steps from {@code offsets}[p] up to where
   * the next one begins, and row i takes the one of {@code numbers}[i]. With the paths of a tree
   * this is hierarchical softmax: the negative log-probability of each row's class.
   *
   * @param steps int32 (count)
   * @param offsets int32 (paths), ascending
   * @param numbers int32 (n)
   * @param longest the most steps that a path has
   * @return (n), NaN also where a number is no path's, or its path is longer
   * @throws IllegalArgumentException with the shapes, where they do not fit
   */
  default Tensor pathLosses(
      Tensor x, Tensor table, Tensor steps, Tensor offsets, Tensor numbers, int longest) {
    return apply(new PathLossOperation(longest), x, table, steps, offsets, numbers);
  }

  /**
   * The logarithm of the probability of every path for each row of x: what {@link #pathLosses} is
   * the negative of, for all paths and not for one; over the paths of a tree e^y adds up to 1. It
   * takes all rows of the table, so that its gradient is dense.
   *
   * @param steps int32 (count), as {@code offsets} (paths) in {@link #pathLosses}
   * @return (n, paths) of the {@link #wide} type
   * @throws IllegalArgumentException with the shapes, where they do not fit
   */
  default Tensor pathLogProbabilities(Tensor x, Tensor table, Tensor steps, Tensor offsets) {
    check(
        "path_log_probabilities",
        Operands.floating("x", "table").andInt32("steps", "offsets"),
        x,
        table,
        steps,
        offsets);
    if (x.shape().rank() != 2
        || table.shape().rank() != 2
        || x.shape().size(1) != table.shape().size(1)
        || steps.shape().rank() != 1
        || offsets.shape().rank() != 1) {
      throw new IllegalArgumentException(
          format(
              "path_log_probabilities needs x [n, cols], a table [rows, cols], steps [count] and"
                  + " offsets [paths], not %s, %s, %s and %s",
              x.shape(), table.shape(), steps.shape(), offsets.shape()));
    }
    Tensor scores = wide(apply(new MatMul(MatMul.Form.PLAIN, MatMul.Form.TRANSPOSED), table, x));
    Tensor branches = concat(1, softplus(negate(scores)), softplus(scores)); // row 2 row + branch
    long rows = x.shape().size(0);
    Tensor sums =
        embeddingBagSum(reshape(branches, 2 * table.shape().size(0), rows), steps, offsets);
    return negate(transpose(sums));
  }

  /**
   * The paths of negative sampling for {@link #pathLosses(Tensor, Tensor, Tensor)}: the row of each
   * label, and as many rows as {@code negatives} says that are drawn as noise, of which one that is
   * the label is left out; see {@link NegativeSamples}.
   *
   * @param labels int32 (n)
   * @param thresholds int32 (words), those of a {@code dev.weft.text.AliasTable}
   * @param aliases int32 (words), likewise
   * @return int32 (n, 1 + negatives)
   * @throws IllegalArgumentException with the shapes, where they do not fit, or where {@code
   *     negatives} is less than 1
   */
  default Tensor negativeSamples(Tensor labels, Tensor thresholds, Tensor aliases, int negatives) {
    return apply(new NegativeSamples(negatives), labels, thresholds, aliases);
  }
}
