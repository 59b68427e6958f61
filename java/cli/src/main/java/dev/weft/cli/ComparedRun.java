// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.train.DivergedException;
import dev.weft.train.Evaluation;
import dev.weft.train.History;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * A run of {@code weft compare}.
 *
 * @param epochs those that have ended, evaluated on unseen data
 * @param fault why it came to nothing, or ended early; empty where it did not
 */
record ComparedRun(
    Setting setting, long seed, List<History.Epoch> epochs, String fault, boolean hasDiverged) {

  /** What epochs, runs and settings are ordered by. */
  enum By {
    LOSS,
    ACCURACY;

    /** Of an evaluation, such that less is better. */
    double of(Evaluation evaluation) {
      return this == LOSS ? evaluation.loss() : -evaluation.accuracy();
    }
  }

  /** What divergence is in a row of a table. */
  static String fault(DivergedException e) {
    return e.firstStep() == e.lastStep()
        ? format("diverged at step %d", e.lastStep())
        : format("diverged in steps %d to %d", e.firstStep(), e.lastStep());
  }

  static Evaluation test(History.Epoch epoch) {
    return Objects.requireNonNull(epoch.test(), "an epoch that has ended");
  }

  /** The first of the best epochs; none where no epoch has ended, or none had a number. */
  Optional<History.Epoch> best(By by) {
    return epochs.stream()
        .filter(epoch -> !Double.isNaN(by.of(test(epoch))))
        .min(Comparator.comparingDouble(epoch -> by.of(test(epoch))));
  }

  double samplesPerSecond() {
    return epochs.stream().mapToDouble(epoch -> epoch.train().rows()).sum()
        / epochs.stream().mapToDouble(History.Epoch::seconds).sum();
  }
}
