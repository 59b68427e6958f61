// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.optim.Schedule;
import dev.weft.report.Plot;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code weft schedule}. */
@Command(
    name = "schedule",
    mixinStandardHelpOptions = true,
    description = "Shows how a schedule changes the learning rate.",
    footer = {
      "",
      "Examples:",
      "  weft schedule cosine --epochs 30 --warm-up 500",
      "  weft schedule one-cycle:0.25 --epochs 20 --rate 0.5 --out rates.svg"
    })
final class ScheduleCommand implements Callable<Integer> {
  private static final int ROWS = 10;
  private static final int POINTS = 2000;

  @ParentCommand private Main main;

  @Parameters(paramLabel = "HOW", description = "As --schedule of weft train: " + Course.FORMS)
  private String how;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      defaultValue = "5",
      description = "Passes over the training data. Default: ${DEFAULT-VALUE}.")
  private int epochs;

  @Option(
      names = "--updates",
      paramLabel = "N",
      defaultValue = "469",
      description = "Updates of an epoch. Default: ${DEFAULT-VALUE}, as weft train has them.")
  private int updates;

  @Option(
      names = "--warm-up",
      paramLabel = "N",
      description = "The rate grows along a line over the first N updates. Default: it does not.")
  private @Nullable Long warmUp;

  @Option(
      names = "--rate",
      paramLabel = "X",
      defaultValue = "1",
      description = "The optimizer's rate. Default: ${DEFAULT-VALUE}.")
  private double rate;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "A picture, .svg or .png; one that is there is replaced.")
  private @Nullable Path out;

  @Override
  public Integer call() throws IOException {
    UpdateOptions.checkAtLeast1("--epochs", epochs, "epoch");
    UpdateOptions.checkAtLeast1("--updates", updates, "update of an epoch");
    if (!(rate > 0) || Double.isInfinite(rate)) {
      throw new IllegalArgumentException(
          format("--rate must be positive and finite, not %s", rate));
    }
    Course course = Course.of(how, how, epochs);
    if (course.plateau() != null) {
      throw new IllegalArgumentException(
          format("%s goes by what training comes to, so that it has no course to show", how));
    }
    Schedule schedule = (warmUp == null ? course : course.warmUp(warmUp)).schedule();
    if (out != null) {
      SideFile.checkPicture(out);
    }
    int last = Math.multiplyExact(epochs, updates) - 1; // from 0
    Table table =
        new Table(
            main.screen().out(),
            Table.right("update", 9),
            Table.right("epoch", 8),
            Table.right("rate", 10));
    for (int at : evenly(last, ROWS)) {
      table.row(Amount.count(at), format("%.2f", epoch(at)), format("%.4g", rate(schedule, at)));
    }
    if (out != null) {
      int[] at = evenly(last, POINTS);
      Plot.of(how, "epoch", "learning rate")
          .line(
              "",
              Arrays.stream(at).mapToDouble(this::epoch).toArray(),
              Arrays.stream(at).mapToDouble(each -> rate(schedule, each)).toArray())
          .write(out);
      main.screen().out().println("wrote " + out);
    }
    return Main.SUCCESS;
  }

  private double epoch(int update) {
    return update / updates + (double) (update % updates) / updates;
  }

  private double rate(Schedule schedule, int update) {
    return rate * schedule.factor(update, epoch(update));
  }

  /** The numbers from 0 to the last one, or so many of them. */
  private static int[] evenly(int last, int most) {
    int parts = Math.min(last, most);
    return IntStream.rangeClosed(0, parts).map(i -> (int) ((long) i * last / parts)).toArray();
  }
}
