// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.util.List;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** The bar of an epoch in a terminal; the one class that knows the library for it. */
final class EpochBar {
  private static final int MILLISECONDS_BETWEEN_DRAWINGS = 100;
  private static final int LEAST_LENGTH = 10;
  // what stands around the bar, beside the epoch's name and the numbers of steps
  private static final String AROUND = " 100% ││ / (0:00:00 / 0:00:00) ";

  private final PrintWriter out;
  private final int columns;
  private final ProgressBarStyle style;
  private @Nullable OverwrittenLine line;
  private @Nullable ProgressBar bar; // null: none is drawn

  EpochBar(PrintWriter out, int columns, Charset charset) {
    this.out = out;
    this.columns = columns;
    this.style =
        charset.newEncoder().canEncode('█')
            ? ProgressBarStyle.UNICODE_BLOCK
            : ProgressBarStyle.ASCII;
  }

  boolean isDrawn() {
    return bar != null;
  }

  /**
   * Shows where the epoch stands.
   *
   * @param measured from which the last are left out where the bar would be too short
   */
  void draw(TrainingRun run, List<String> measured) {
    String name = format("epoch %d/%d", run.epoch(), run.lastEpoch());
    if (bar == null) {
      line = new OverwrittenLine(out, columns);
      bar =
          new ProgressBarBuilder()
              .setTaskName(name)
              .setInitialMax(run.stepsPerEpoch())
              .setStyle(style)
              .setUpdateIntervalMillis(MILLISECONDS_BETWEEN_DRAWINGS)
              .setConsumer(line)
              .build();
    }
    bar.stepTo(run.stepOfEpoch());
    int numbers = 2 * Long.toString(run.stepsPerEpoch()).length();
    int room = columns - 1 - LEAST_LENGTH - name.length() - AROUND.length() - numbers;
    bar.setExtraMessage(cut(measured, room));
  }

  private static String cut(List<String> words, int room) {
    int shown = words.size();
    while (shown > 0 && String.join(", ", words.subList(0, shown)).length() > room) {
      shown--;
    }
    return String.join(", ", words.subList(0, shown));
  }

  /** Takes the bar away, where there is one. */
  void remove(TrainingRun run) {
    if (bar != null && line != null) {
      bar.stepTo(run.stepOfEpoch());
      bar.close();
      line.close(); // a bar that was never drawn by its thread leaves that out
      bar = null;
    }
  }
}
