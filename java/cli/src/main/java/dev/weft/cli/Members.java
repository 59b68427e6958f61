// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.data.Dataset;
import dev.weft.nn.Ensemble;
import dev.weft.nn.LabelLoss;
import dev.weft.nn.Model;
import dev.weft.nn.MultiClassHinge;
import dev.weft.nn.Network;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.train.Evaluation;
import dev.weft.train.Evaluator;
import java.util.ArrayList;
import java.util.List;

/** Networks that were trained to be one ensemble, and what each is worth. */
final class Members {
  private final LabelLoss loss;
  private final List<Network> networks = new ArrayList<>();
  private final List<Double> accuracies = new ArrayList<>();

  Members(LabelLoss loss) {
    this.loss = loss;
  }

  /** Takes a network from its device; what it is worth. */
  String add(Network network, Dataset test, int batch) {
    Evaluation evaluation;
    try (Evaluator evaluator = new Evaluator(network, loss, test, batch)) {
      evaluation = evaluator.evaluate();
    }
    networks.add(network.off());
    accuracies.add(evaluation.accuracy());
    return format(
        "alone    test accuracy %s, loss %.4f",
        Amount.percent(evaluation.accuracy()), evaluation.loss());
  }

  /** The ensemble: of probabilities, or of scores where those were trained. */
  Network ensemble() {
    Model[] members = networks.toArray(Model[]::new);
    return Network.over(
        switch (loss) {
          case SoftmaxCrossEntropy cross -> Ensemble.ofProbabilities(members);
          case MultiClassHinge hinge -> Ensemble.ofValues(members);
        });
  }

  /** Mean and standard deviation, of a sample, of the accuracies. */
  @Override
  public String toString() {
    int count = accuracies.size();
    double mean = accuracies.stream().mapToDouble(a -> a).average().orElse(Double.NaN);
    double squares = accuracies.stream().mapToDouble(a -> (a - mean) * (a - mean)).sum();
    return format(
        "members  mean accuracy %s, standard deviation %s",
        Amount.percent(mean),
        count < 2 ? "unknown" : Amount.percent(Math.sqrt(squares / (count - 1))));
  }
}
