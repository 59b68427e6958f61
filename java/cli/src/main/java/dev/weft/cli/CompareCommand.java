// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.count;
import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.Device;
import dev.weft.cli.ComparedRun.By;
import dev.weft.data.Split;
import dev.weft.report.Plot;
import dev.weft.report.Plots;
import dev.weft.train.Evaluation;
import dev.weft.train.History;
import dev.weft.train.SharedData;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code weft compare}. */
@Command(
    name = "compare",
    mixinStandardHelpOptions = true,
    description = {
      "Trains a network for each combination of options, in one table.",
      "The runs come one after another over one copy of the data. No network is written; weft"
          + " train with the same options does that.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  weft compare --vary optimizer=sgd,momentum,adam --vary rate=0.1,0.01,0.001",
      "  weft compare --vary hidden=32,128,512 --seeds 3 --epochs 10 --plot hidden.svg",
      "  weft compare --vary \"hidden=512;256,256\" --validation 0.1 --by accuracy",
      "  weft compare --vary batch=32,128,512 --optimizer sgd --log batches.jsonl"
    })
final class CompareCommand implements Callable<Integer> {
  @ParentCommand private Main main;
  @Spec private CommandSpec spec;

  @Option(
      names = "--vary",
      required = true,
      paramLabel = "NAME=VALUES",
      description =
          "An option of weft train that changes the training, without its dashes, and its values"
              + " by commas; by semicolons where a value has commas. Given several times, every"
              + " combination is a run.")
  private List<String> varied;

  @Option(
      names = "--seeds",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Runs of each combination, with the seeds from --seed on. Default: ${DEFAULT-VALUE}.")
  private int seeds;

  @Option(
      names = "--by",
      paramLabel = "WHAT",
      description =
          "loss or accuracy, by which the best epoch of a run and the best of all are found."
              + " Default: loss, and accuracy where the loss is what varies.")
  private @Nullable String by;

  @Option(
      names = "--plot",
      paramLabel = "FILE",
      description = "A picture of loss and accuracy by epoch, a line for each run: .svg or .png.")
  private @Nullable Path plot;

  @Option(
      names = "--log",
      paramLabel = "FILE",
      description = "A file for one line of JSON an epoch, which begins with its run's values.")
  private @Nullable Path log;

  @Option(names = "--plain", description = "No line of progress, also in a terminal.")
  private boolean plain;

  @Mixin private TrainingOptions options;

  @Override
  public Integer call() throws IOException {
    // all that can be wrong is looked at before the work begins
    List<Setting> settings = Setting.all(varied);
    By by = by(settings.getFirst().values().keySet());
    UpdateOptions.checkAtLeast1("--seeds", seeds, "run");
    if (seeds > 1 && settings.getFirst().values().containsKey("seed")) {
      throw new IllegalArgumentException("--seeds varies the seed, as --vary seed does: give one");
    }
    List<SideBySide.Planned> runs = new ArrayList<>();
    for (Setting setting : settings) {
      for (int i = 0; i < seeds; i++) {
        List<String> words = new ArrayList<>(common(setting));
        if (seeds > 1) {
          words.add("--seed=" + (options.seed() + i));
        }
        runs.add(new SideBySide.Planned(setting, setting.options(words)));
      }
    }
    if (plot != null) {
      SideFile.checkPicture(plot);
    }
    if (log != null) {
      if (plot != null) {
        EmbedRun.checkOther("--log", log, "the picture of --plot", plot);
      }
      SideFile.check(log);
    }
    try (Device device = options.where().open();
        SharedData shared = new SharedData(device)) {
      Split split = options.data().read();
      Split parts = options.parts(split);
      SideBySide all = new SideBySide(runs, device, parts, shared, main.interruption());
      Screen screen = plain ? main.screen().plain() : main.screen();
      announce(screen.out(), split, device, runs.size());
      List<ComparedRun> done;
      boolean logged = true;
      try (EpochLog lines = log == null ? null : new EpochLog(log, device, screen.err())) {
        var table = new ComparisonTable(screen.out(), settings, seeds, by, options.unseen());
        done = all.train(screen, table, lines);
        table.end();
        logged = lines == null || !lines.failed();
      }
      if (plot != null) {
        draw(plot, done);
        screen.out().println("wrote    " + plot);
      }
      return logged ? Main.SUCCESS : Main.FAILURE;
    }
  }

  private void announce(PrintWriter out, Split split, Device device, int runs) {
    String each = seeds == 1 ? "" : format(", %d seeds each", seeds);
    out.println("data     " + options.data().describe(split));
    out.printf(
        ROOT,
        "compare  %s: %s%s; evaluated on the %s data%n",
        count(runs, "run"),
        String.join(" ", varied),
        each,
        options.unseen());
    out.printf(ROOT, "device   %s (%s)%n", device.name(), device.description());
  }

  /** By what the best is found. */
  private By by(Set<String> names) {
    boolean lossVaries =
        Set.of("loss", "smoothing", "class-weights").stream().anyMatch(names::contains);
    if (by == null) {
      return lossVaries ? By.ACCURACY : By.LOSS;
    }
    By chosen = Choice.of("--by", by, By.class);
    if (chosen == By.LOSS && lossVaries) {
      throw new IllegalArgumentException(
          "--by loss: the losses are different ones, of which none is less than another: leave it"
              + " out, or take accuracy");
    }
    return chosen;
  }

  /** The options of a training run that were given to this command, as words. */
  private List<String> common(Setting setting) {
    CommandSpec ofRuns = new CommandLine(new TrainingOptions()).getCommandSpec();
    List<String> words = new ArrayList<>();
    for (CommandLine.Model.OptionSpec given :
        spec.commandLine().getParseResult().matchedOptions()) {
      String name = given.longestName();
      if (ofRuns.findOption(name) == null) {
        continue;
      }
      if (setting.values().containsKey(name.substring(2))) {
        throw new IllegalArgumentException(
            format("%s is what --vary varies: leave it out, or write it there", name));
      }
      given.originalStringValues().forEach(value -> words.add(name + "=" + value));
    }
    return words;
  }

  private void draw(Path file, List<ComparedRun> done) throws IOException {
    String names = String.join(" and ", done.getFirst().setting().values().keySet());
    String unseen = options.unseen();
    Plot loss = Plot.of(unseen + " loss by " + names, "epoch", "").logY();
    Plot accuracy = Plot.of(unseen + " accuracy", "epoch", "");
    for (ComparedRun run : done) {
      String name = run.setting().label() + (seeds == 1 ? "" : ", seed " + run.seed());
      double[] numbers = run.epochs().stream().mapToDouble(History.Epoch::number).toArray();
      loss.line(name, numbers, each(run, Evaluation::loss));
      accuracy.line(name, numbers, each(run, Evaluation::accuracy));
    }
    Plots.of(2, loss, accuracy).write(file);
  }

  private static double[] each(ComparedRun run, ToDoubleFunction<Evaluation> value) {
    return run.epochs().stream()
        .mapToDouble(epoch -> value.applyAsDouble(ComparedRun.test(epoch)))
        .toArray();
  }
}
