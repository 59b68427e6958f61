// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.train.Evaluation;
import dev.weft.train.History;
import dev.weft.train.Listener;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** A line for each epoch; in a terminal, a bar while the epoch lasts. */
final class TrainingDisplay implements Listener, AutoCloseable {
  private static final int STEPS_BETWEEN_UPDATES = 50;
  private static final int MILLISECONDS_BETWEEN_DRAWINGS = 100;

  private final Screen screen;
  private final int epochs;
  private final String unseen;
  private @Nullable ProgressBar bar;

  /**
   * A display.
   *
   * @param unseen what the data is called that is evaluated after every epoch
   */
  TrainingDisplay(Screen screen, int epochs, String unseen) {
    this.screen = screen;
    this.epochs = epochs;
    this.unseen = unseen;
  }

  @Override
  public int every() {
    return screen.kind() == Screen.Kind.TERMINAL ? STEPS_BETWEEN_UPDATES : Integer.MAX_VALUE;
  }

  @Override
  public void onProgress(Progress progress) {
    if (screen.kind() == Screen.Kind.PLAIN) {
      return;
    }
    if (bar == null) {
      bar = bar(progress);
    }
    bar.stepTo(progress.step());
    bar.setExtraMessage(
        format(
            "loss %.4f, %s, %s/s",
            progress.loss(),
            Amount.percent(progress.accuracy()),
            Amount.count(progress.samplesPerSecond())));
    if (progress.step() == progress.steps()) {
      close();
    }
  }

  private ProgressBar bar(Progress progress) {
    boolean unicode = screen.charset().newEncoder().canEncode('█');
    return new ProgressBarBuilder()
        .setTaskName(format("epoch %d/%d", progress.epoch(), progress.epochs()))
        .setInitialMax(progress.steps())
        .setStyle(unicode ? ProgressBarStyle.UNICODE_BLOCK : ProgressBarStyle.ASCII)
        .setUpdateIntervalMillis(MILLISECONDS_BETWEEN_DRAWINGS)
        .setConsumer(new OverwrittenLine(screen))
        .build();
  }

  @Override
  public void onEpoch(History.Epoch epoch) {
    StringBuilder line = new StringBuilder(format("epoch %d/%d", epoch.number(), epochs));
    line.append(": training ").append(words(epoch.train()));
    if (epoch.test() != null) {
      line.append("; ").append(unseen).append(' ').append(words(epoch.test()));
    }
    line.append(
        format(
            "; %s, %s samples/s",
            Amount.seconds(epoch.seconds()), Amount.count(epoch.train().rows() / epoch.seconds())));
    screen.out().println(line);
    screen.out().flush();
  }

  private static String words(Evaluation evaluation) {
    return format(
        "loss %.4f, accuracy %s", evaluation.loss(), Amount.percent(evaluation.accuracy()));
  }

  /** Takes the bar away, also where training ended early. */
  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }
}
