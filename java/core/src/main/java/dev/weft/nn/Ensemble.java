// SPDX-License-Identifier: Apache-2.0
package dev.weft.nn;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.Inputs;
import dev.weft.Operations;
import dev.weft.RowType;
import dev.weft.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Several models that answer as one: their predictions are averaged (Hansen and Salamon 1990), not
 * their weights. Members are given the same inputs, and may be of any architecture; their outputs
 * are alike. The output is made so that losses, metrics and {@link Network#probabilities} take it
 * as that of one network:
 *
 * <ul>
 *   <li>{@link #ofProbabilities}: log of the mean over members of softmax(scores), of which softmax
 *       and {@link SoftmaxCrossEntropy} see the mean itself;
 *   <li>{@link #ofBinaryProbabilities}: the logit log(p / (1 - p)) of the mean p over members of
 *       σ(score), element by element;
 *   <li>{@link #ofValues}: the mean of what members give, element by element.
 * </ul>
 *
 * <p>Means of probabilities are taken by their logarithms, so that none becomes 0; the output has
 * the {@link Operations#wide} type. Networks that have their values on a device are taken from
 * there by {@link Network#off} before.
 *
 * {@snippet file="Examples.java" region="ensemble"}
 */
public final class Ensemble implements Model {

  /** What is averaged. */
  public enum Mean {
    /** Of softmax along the last axis. */
    PROBABILITIES,
    /** Of the sigmoid of each score. */
    BINARY_PROBABILITIES,
    /** Of the outputs as they are. */
    VALUES;

    private String word() {
      return name().toLowerCase(ROOT);
    }
  }

  private final Mean mean;
  private final Branches branches;

  private Ensemble(Mean mean, List<Model> models) {
    this.mean = mean;
    branches = new Branches("Ensemble", models);
  }

  static Ensemble of(Settings settings) {
    String word = settings.text("mean");
    Mean mean =
        Arrays.stream(Mean.values())
            .filter(each -> each.word().equals(word))
            .findFirst()
            .orElseThrow(
                () -> new IllegalArgumentException(format("'%s' is no mean of an ensemble", word)));
    return new Ensemble(mean, settings.children());
  }

  /**
   * Members that give a score for each class.
   *
   * @throws IllegalArgumentException where there are none
   */
  public static Ensemble ofProbabilities(Model... members) {
    return new Ensemble(Mean.PROBABILITIES, List.of(members));
  }

  /**
   * Members whose scores are logits of yes or no, trained with {@link
   * ValueLoss#binaryCrossEntropy}.
   *
   * @throws IllegalArgumentException where there are none
   */
  public static Ensemble ofBinaryProbabilities(Model... members) {
    return new Ensemble(Mean.BINARY_PROBABILITIES, List.of(members));
  }

  /**
   * Members that give numbers.
   *
   * @throws IllegalArgumentException where there are none
   */
  public static Ensemble ofValues(Model... members) {
    return new Ensemble(Mean.VALUES, List.of(members));
  }

  /** What is averaged. */
  public Mean mean() {
    return mean;
  }

  /** The models whose predictions are averaged, in order. */
  public List<Model> members() {
    return branches.models();
  }

  @Override
  public Tensor forward(Operations operations, Inputs<Tensor> inputs) {
    Tensor outputs =
        operations.stack(
            0,
            members().stream()
                .map(member -> operations.wide(member.forward(operations, inputs)))
                .toArray(Tensor[]::new));
    return switch (mean) {
      case PROBABILITIES ->
          operations.shift(
              operations.logSumExp(operations.logSoftmax(outputs), 0), -Math.log(members().size()));
      case BINARY_PROBABILITIES -> // log σ(z) = -softplus(-z), log (1 - σ(z)) = -softplus(z)
          operations.subtract(
              logOfSum(operations, operations.negate(outputs)), logOfSum(operations, outputs));
      case VALUES -> operations.mean(outputs, 0);
    };
  }

  /** log Σ σ(-z) over members. */
  private static Tensor logOfSum(Operations operations, Tensor z) {
    return operations.logSumExp(operations.negate(operations.softplus(z)), 0);
  }

  @Override
  public RowType output(Inputs<RowType> inputs) {
    List<RowType> outputs = branches.outputs(inputs);
    RowType first = outputs.getFirst();
    for (RowType each : outputs) {
      if (each.isIds() || !each.equals(first)) {
        throw new IllegalArgumentException(
            format(
                "an ensemble averages outputs that are alike, and its members 0 and %d give %s and"
                    + " %s",
                outputs.indexOf(each), first, each));
      }
    }
    if (mean == Mean.PROBABILITIES && (first.shape().rank() == 0 || first.shape().size(-1) < 2)) {
      throw new IllegalArgumentException(
          format(
              "an ensemble of probabilities needs a score for each of 2 classes or more, and its"
                  + " members give %s: Ensemble.ofBinaryProbabilities takes one score a row,"
                  + " Ensemble.ofValues numbers",
              first));
    }
    return first;
  }

  @Override
  public Map<String, Model> children() {
    return branches.children();
  }

  @Override
  public Map<String, Object> settings() {
    return Map.of("mean", mean.word());
  }

  @Override
  public String spec() {
    return branches.spec("ensemble_of_" + mean.word());
  }
}
