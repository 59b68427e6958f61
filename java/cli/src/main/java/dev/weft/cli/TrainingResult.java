// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.data.Dataset;
import dev.weft.nn.LabelLoss;
import dev.weft.nn.MultiClassHinge;
import dev.weft.nn.Network;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.train.Evaluation;
import dev.weft.train.History;
import java.io.IOException;
import java.util.List;

/**
 * What training came to: how it ended, and the network in its file.
 *
 * @param histories of the network, or of each member of an ensemble
 */
record TrainingResult(Screen screen, Network network, List<History> histories, SavedNetwork saved) {

  /**
   * Says why training ended where that is not its last epoch, and what it came to.
   *
   * @throws IOException where nothing was trained
   */
  static void sayEnd(Screen screen, History history, int epochs) throws IOException {
    if (history.epochs().isEmpty()) {
      throw new IOException(
          format("%s before the first step: nothing was written", history.ended()));
    }
    History.Epoch last = history.last();
    boolean wasCut = last.test() == null;
    if (wasCut || history.epochs().size() < epochs || history.best() < last.number()) {
      boolean atCut = wasCut && history.best() == last.number();
      screen
          .out()
          .printf(
              ROOT,
              "ended    %s; the parameters are those %s epoch %d%n",
              history.ended(),
              atCut ? format("after step %d of", last.steps()) : "of",
              history.best());
    }
  }

  /**
   * Writes the file, reads it again and says what the network is worth; whether its loss is a
   * number.
   *
   * @param peak the most device memory that training took
   * @throws IOException where the file cannot be written
   */
  boolean write(Dataset test, MemoryAccount account, long peak) throws IOException {
    network.save(saved.file(), LossOptions.notes(saved.loss()));
    Evaluation evaluation = saved.evaluateLike(network, test);
    network.close();
    double seconds = histories.stream().mapToDouble(History::seconds).sum();
    double samples =
        histories.stream()
            .flatMap(history -> history.epochs().stream())
            .mapToDouble(epoch -> epoch.train().rows())
            .sum();
    screen
        .out()
        .printf(
            ROOT,
            "%s accuracy %s, loss %.4f; %s of training, %s samples/s%n",
            histories.size() == 1 ? "test" : "ensemble test",
            Amount.percent(evaluation.accuracy()),
            evaluation.loss(),
            Amount.seconds(seconds),
            Amount.count(samples / seconds));
    screen.out().println("memory   " + account.compared(peak));
    screen
        .out()
        .printf(
            ROOT,
            "wrote    %s; read again, it gives the same output for all %s test examples%n",
            saved.file(),
            Amount.count(test.rows()));
    if (Double.isFinite(evaluation.loss())) {
      warn(evaluation.loss(), guessing(saved.loss(), test.classes()));
      return true;
    }
    screen
        .err()
        .printf(
            ROOT,
            "weft: the loss over the test data is %s: look for extreme values in them%n",
            evaluation.loss());
    return false;
  }

  /**
   * The loss of equal scores for every class: ln(classes), whatever the smoothing, and of a hinge
   * the margin for each other class. Of smoothing beside weights of classes it is another, and 0
   * here.
   */
  private static double guessing(LabelLoss loss, int classes) {
    return switch (loss) {
      case MultiClassHinge hinge -> hinge.margin() * (classes - 1);
      case SoftmaxCrossEntropy cross ->
          cross.smoothing() == 0 || !cross.isWeighted() ? Math.log(classes) : 0;
    };
  }

  private void warn(double loss, double guessing) {
    if (guessing > 0 && loss >= guessing) {
      screen
          .err()
          .printf(
              ROOT,
              "warning: the network does no better than guessing (loss %.4f, guessing gives %.4f);"
                  + " lower the learning rate or train longer%n",
              loss,
              guessing);
    }
  }
}
