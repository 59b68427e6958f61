// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static dev.weft.format.Format.format;

import dev.weft.io.StandardOutput;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Prints a line for each epoch, and on request draws a bar in a terminal while the epoch lasts: the
 * loss, all metrics, the speed, and the learning rate where it changes.
 *
 * <pre>{@code
 * trainer.listener(ConsoleListener.lines());
 * }</pre>
 */
public final class ConsoleListener implements Listener {
  private static final long NANOSECONDS_BETWEEN_UPDATES = 100_000_000;
  private static final double LEAST_WITH_FOUR_DECIMALS = 1e-3;

  private final PrintWriter out;
  private final @Nullable EpochBar bar; // null: lines alone
  private String unseen = "test";
  private double rate;
  private long drawn;

  private ConsoleListener(PrintWriter out, @Nullable EpochBar bar) {
    this.out = out;
    this.bar = bar;
  }

  /** Lines on the standard output. */
  public static ConsoleListener lines() {
    return lines(standardOutput());
  }

  /** Lines alone, for a file or another program. */
  public static ConsoleListener lines(PrintWriter out) {
    return new ConsoleListener(out, null);
  }

  /**
   * Lines on the standard output and, where that is a terminal, a bar below them.
   *
   * @throws IllegalStateException where the library that draws it is not on the class path
   */
  public static ConsoleListener bar() {
    int columns = StandardOutput.terminalColumns();
    ConsoleListener console = bar(standardOutput(), columns, System.out.charset());
    return columns > 0 ? console : lines(console.out);
  }

  /**
   * Lines and a bar, for what is a terminal.
   *
   * @param columns its width
   * @param charset what it is written in
   * @throws IllegalStateException where the library that draws it is not on the class path
   */
  public static ConsoleListener bar(PrintWriter out, int columns, Charset charset) {
    try {
      return new ConsoleListener(out, new EpochBar(out, columns, charset));
    } catch (NoClassDefFoundError e) {
      throw new IllegalStateException(
          "a bar is drawn by the library me.tongfei:progressbar, which is not on the class path:"
              + " add it to the dependencies, or use ConsoleListener.lines(), which needs none",
          e);
    }
  }

  private static PrintWriter standardOutput() {
    return new PrintWriter(System.out, true, System.out.charset());
  }

  /** The word for the data that is evaluated after every epoch; "test" until told otherwise. */
  public ConsoleListener unseen(String word) {
    this.unseen = word;
    return this;
  }

  @Override
  public int every() {
    return bar == null ? Integer.MAX_VALUE : 1;
  }

  @Override
  public void onStart(TrainingRun run) {
    rate = run.nextRate();
  }

  @Override
  public void onStep(TrainingRun run) {
    long now = System.nanoTime();
    // what was measured waits for the device, which every step would feel
    if (bar != null && (!bar.isDrawn() || now - drawn >= NANOSECONDS_BETWEEN_UPDATES)) {
      drawn = now;
      List<String> measured = words(run.measured(), true);
      measured.add(format("%,d/s", Math.round(run.samplesPerSecond())));
      bar.draw(run, measured);
    }
  }

  @Override
  public void onEpoch(TrainingRun run, History.Epoch epoch) {
    onEnd(run);
    StringBuilder line = new StringBuilder(format("epoch %d/%d", epoch.number(), run.lastEpoch()));
    if (run.stepOfEpoch() < run.stepsPerEpoch()) {
      line.append(format(", step %d/%d", run.stepOfEpoch(), run.stepsPerEpoch()));
    }
    line.append(": training ").append(text(epoch.train()));
    if (epoch.test() != null) {
      line.append("; ").append(unseen).append(' ').append(text(epoch.test()));
    }
    long speed = Math.round(epoch.train().rows() / epoch.seconds());
    line.append(format("; %.2f s, %,d samples/s", epoch.seconds(), speed));
    if (epoch.rate() != rate) {
      line.append(format("; learning rate %.3g", epoch.rate()));
    }
    rate = epoch.rate();
    out.println(line);
    out.flush();
  }

  private static String text(Evaluation evaluation) {
    return String.join(", ", words(evaluation, false));
  }

  /** In brief, what is a percentage and has no name is the accuracy. */
  private static List<String> words(Evaluation evaluation, boolean brief) {
    boolean small = Math.abs(evaluation.loss()) < LEAST_WITH_FOUR_DECIMALS;
    List<String> words = new ArrayList<>();
    words.add(format(small ? "loss %.3g" : "loss %.4f", evaluation.loss()));
    evaluation
        .metrics()
        .forEach(
            (name, value) -> {
              String number =
                  name.endsWith(Evaluation.ACCURACY)
                      ? format("%.2f %%", 100 * value)
                      : format("%.4g", value);
              words.add(brief && name.equals(Evaluation.ACCURACY) ? number : name + " " + number);
            });
    return words;
  }

  /** Takes the bar away, also where training ended early. */
  @Override
  public void onEnd(TrainingRun run) {
    if (bar != null) {
      bar.remove(run);
    }
  }
}
