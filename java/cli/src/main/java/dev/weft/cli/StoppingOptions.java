// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.train.EarlyStopping;
import dev.weft.train.EarlyStopping.Direction;
import dev.weft.train.Trainer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** When training ends before its last epoch, and what is watched for that and for a plateau. */
final class StoppingOptions {
  @Option(
      names = "--patience",
      paramLabel = "N",
      description =
          "Training ends after N epochs in a row in which what --watch names did not become better,"
              + " and the network that is written is that of the best epoch.")
  private @Nullable Integer patience;

  @Option(
      names = "--watch",
      paramLabel = "WHAT",
      description =
          "loss or accuracy, over what --validation sets aside, else over the test data. Default:"
              + " loss.")
  private @Nullable String watch;

  private enum Watched {
    LOSS,
    ACCURACY
  }

  private Watched watched = Watched.LOSS;

  /**
   * Looks at the options.
   *
   * @throws IllegalArgumentException where one makes no sense, or has no effect
   */
  void check(int epochs, boolean isProfiled, Course.@Nullable Plateau plateau) {
    if (watch != null) {
      watched = Choice.of("--watch", watch, Watched.class);
    }
    if (patience == null) {
      if (watch != null && plateau == null) {
        throw new IllegalArgumentException(
            "--watch is what --patience or --schedule plateau waits for: give one of them, too, or"
                + " leave it out");
      }
      return;
    }
    UpdateOptions.checkAtLeast1("--patience", patience, "epoch");
    if (isProfiled) {
      throw new IllegalArgumentException(
          "--profile trains no epoch that --patience could count: leave one out");
    }
    if (epochs == 1) {
      throw new IllegalArgumentException(
          "--patience chooses among epochs, and --epochs 1 leaves no choice");
    }
    if (plateau != null && patience <= plateau.patience()) {
      throw new IllegalArgumentException(
          format(
              "--patience %d ends training before a plateau of %d epochs lowers the rate: give it"
                  + " more than those",
              patience, plateau.patience()));
    }
  }

  /** Whether the best epoch is kept. */
  boolean keepsBest() {
    return patience != null;
  }

  /** What ends training, in the user's words, where the best epoch is kept. */
  String describe(String unseen) {
    int epochs = Objects.requireNonNull(patience, "the best epoch is kept");
    return format(
        "%d %s without a better %s over the %s data",
        epochs, epochs == 1 ? "epoch" : "epochs in a row", Choice.word(watched), unseen);
  }

  /** Gives a trainer what was looked at. */
  void apply(Trainer trainer, Course.@Nullable Plateau plateau) {
    if (plateau != null) {
      trainer.listener(
          plateau.watching(
              Choice.word(watched),
              watched == Watched.LOSS ? Direction.LOWEST : Direction.HIGHEST));
    }
    if (patience != null) {
      EarlyStopping stopping =
          watched == Watched.LOSS
              ? EarlyStopping.lowest(Choice.word(watched))
              : EarlyStopping.highest(Choice.word(watched));
      trainer.earlyStopping(stopping.patience(patience));
    }
  }
}
