// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.data.Split;
import dev.weft.io.AtomicFile;
import dev.weft.nn.LabelLoss;
import dev.weft.nn.Network;
import dev.weft.nn.Sequential;
import dev.weft.optim.Optimizer;
import dev.weft.train.ConsoleListener;
import dev.weft.train.History;
import dev.weft.train.Trainer;
import dev.weft.train.TrainingRun;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code weft train}. */
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    description = "Trains a network to classify and writes it to a file.",
    footer = {
      "",
      "Examples:",
      "  weft train",
      "  weft train --data mnist/ --epochs 10 --out mnist.safetensors",
      "  weft train --hidden 512,256 --activation gelu --optimizer adamw --rate 0.002",
      "  weft train --layers \"linear(784,100) tanh linear(100,10)\" --threads 2",
      "  weft train --validation 0.1 --log run.jsonl",
      "  weft train --epochs 30 --schedule cosine --warm-up 200 --clip 1",
      "  weft train --loss multi_class_hinge --class-weights balanced",
      "  weft train --epochs 100 --validation 0.1 --patience 5 --watch accuracy",
      "  weft train --epochs 100 --validation 0.1 --patience 9 --schedule plateau:3:0.1",
      "  weft train --ensemble 5 --ema 0.999",
      "  weft train --hidden 2048,2048 --dropout 0 --batch 1024 --profile"
    })
final class TrainCommand implements Callable<Integer> {
  @ParentCommand private Main main;
  @Mixin private TrainingOptions options;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description =
          "The file for the network, which must not be there yet. Default: named after the data,"
              + " digits.safetensors or that of the folder.")
  private @Nullable Path file;

  @Option(
      names = "--overwrite",
      description =
          "The network may replace one that is there under its name; a file of another kind is"
              + " never replaced.")
  private boolean overwrite;

  @Option(
      names = "--log",
      paramLabel = "FILE",
      description = "A file for one line of JSON an epoch.")
  private @Nullable Path log;

  @Option(
      names = "--profile",
      arity = "0..1",
      fallbackValue = "",
      paramLabel = "FILE",
      description =
          "Does not train, whatever --epochs and --out say, but times steps and prints where the"
              + " time goes: by phase, layer and kernel, beside what the machine can do. FILE"
              + " receives a timeline for chrome://tracing.")
  private @Nullable Path profile;

  @Option(
      names = "--detect-anomaly",
      description =
          "Reads the loss after every step, which costs time, so that the step is known at which it"
              + " stops being finite.")
  private boolean detectAnomaly;

  @Option(
      names = "--ensemble",
      paramLabel = "N",
      description =
          "Trains N networks, from --seed and the next ones, and writes them as one, which averages"
              + " their predictions.")
  private @Nullable Integer members;

  @Option(names = "--plain", description = "No progress bar, also in a terminal.")
  private boolean plain;

  private @Nullable EpochLog lines;

  @Override
  public Integer call() throws IOException {
    // all that can be wrong is looked at before the work begins
    options.check(profile != null);
    if (profile != null && log != null) {
      throw new IllegalArgumentException("--profile trains no epoch that --log could tell about");
    }
    if (profile != null && (detectAnomaly || overwrite)) {
      throw new IllegalArgumentException(
          detectAnomaly
              ? "--profile times steps as they are, and --detect-anomaly changes them: leave one"
                  + " out"
              : "--profile writes no network, so that --overwrite would do nothing: leave one out");
    }
    if (members != null && members < 2) {
      throw new IllegalArgumentException("--ensemble is of 2 networks or more, not " + members);
    }
    if (profile != null && members != null) {
      throw new IllegalArgumentException(
          "--profile times one network, and --ensemble trains several: leave one out");
    }
    if (profile != null && isTraced()) {
      SideFile.check(profile);
    }
    if (profile == null) {
      checkOut();
    }
    if (log != null) {
      if (log.toAbsolutePath().normalize().equals(file().toAbsolutePath().normalize())) {
        throw new IllegalArgumentException("--log and --out name the same file, " + file());
      }
      SideFile.check(log);
    }
    MathMode math = options.math();
    Optimizer optimizer = options.optimizer();
    try (Device device = options.where().open()) {
      Split split = options.data().read();
      Sequential network = options.network(split.train());
      Split parts = options.parts(split);
      LabelLoss loss = options.losses().of(parts.train());
      Trainer trainer = options.trainer(network, device, loss);
      if (profile == null) {
        long networks = members == null ? 1 : members;
        AtomicFile.checkSpace(file(), networks * network.size() * math.dtype().wide().bytes());
      }
      int rows = Math.min(options.batch(), parts.train().rows());
      announce(split, parts, network, optimizer, rows, device, math);
      if (profile != null) {
        try (TrainingRun run = trainer.start(parts.train())) {
          new ProfileReport(out()).run(run, device, isTraced() ? profile : null);
        }
        network.close();
        return Main.SUCCESS;
      }
      MemoryAccount account =
          new MemoryAccount(
              network,
              optimizer,
              math.dtype(),
              rows,
              parts.train(),
              parts.test(),
              options.dataBytes(),
              (options.stopping().keepsBest() ? 1 : 0)
                  + (options.averaging().keepsAverage() ? 1 : 0));
      List<History> histories = new ArrayList<>();
      Network trained = network;
      try (EpochLog opened = log == null ? null : new EpochLog(log, device, main.screen().err())) {
        lines = opened;
        if (members == null) {
          histories.add(fit(trainer, parts));
        } else {
          trained = ensemble(members, split, parts, loss, device, histories);
        }
      }
      long peak = device.memory().peak();
      SavedNetwork saved = new SavedNetwork(file(), device, math, loss, options.batch());
      boolean finite =
          new TrainingResult(main.screen(), trained.on(device, math), histories, saved)
              .write(split.test(), account, peak);
      return !finite || lines != null && lines.failed() ? Main.FAILURE : Main.SUCCESS;
    }
  }

  /** Trains the members of an ensemble one after another, and says what each is worth. */
  private Network ensemble(
      int count, Split split, Split parts, LabelLoss loss, Device device, List<History> histories)
      throws IOException {
    Members trained = new Members(loss);
    for (int m = 0; m < count && !main.interruption().hasCome(); m++) {
      if (lines != null) {
        lines.member(m + 1);
      }
      long seed = options.seed() + m;
      out().printf(ROOT, "member   %d of %d, seed %d%n", m + 1, count, seed);
      Sequential network = options.network(split.train());
      History history = fit(options.trainer(network, device, loss).seed(seed), parts);
      if (m > 0 && main.interruption().hasCome()) { // it would be worth less than the others
        network.close();
        break;
      }
      histories.add(history);
      out().println(trained.add(network, split.test(), options.batch()));
    }
    out().println(trained);
    return trained.ensemble();
  }

  /** Finds out before training that its result could not be kept, or would cost another. */
  private void checkOut() throws IOException {
    AtomicFile.checkWritable(file());
    if (!Files.exists(file())) {
      return;
    }
    if (!overwrite) {
      throw new FileAlreadyExistsException(
          file().toString(),
          null,
          "is there already: name another file by --out, or replace it by --overwrite");
    }
    try {
      Network.load(file());
    } catch (IOException e) {
      throw new IOException(
          format(
              "--overwrite replaces networks only, and %s is none (%s): name another file by --out",
              file(), e.getMessage()),
          e);
    }
  }

  /** Where the network goes. */
  private Path file() {
    return file != null ? file : Path.of(options.data().name() + ".safetensors");
  }

  private boolean isTraced() {
    return profile != null && !profile.toString().isEmpty();
  }

  private PrintWriter out() {
    return main.screen().out();
  }

  private void announce(
      Split split,
      Split parts,
      Sequential network,
      Optimizer optimizer,
      int rows,
      Device device,
      MathMode math) {
    out().println("data     " + options.data().describe(split));
    out()
        .printf(ROOT, "network  %s, %s parameters%n", network.spec(), Amount.count(network.size()));
    out()
        .printf(
            ROOT,
            "training %s at %s%s, batch %d, seed %d%n",
            optimizer.spec(),
            optimizer.rate(),
            options.schedule().describe(),
            rows,
            options.seed());
    StoppingOptions stopping = options.stopping();
    if (members != null) {
      out().printf(ROOT, "ensemble %d networks, their predictions averaged%n", members);
    }
    if (options.averaging().keepsAverage()) {
      out().println("weights  " + options.averaging().describe(options.updates(parts.train())));
    }
    if (stopping.keepsBest()) {
      out().println("stopping after " + stopping.describe(options.unseen()));
    }
    out()
        .printf(
            ROOT, "device   %s (%s), %s%n", device.name(), device.description(), Choice.word(math));
  }

  private History fit(Trainer trainer, Split parts) throws IOException {
    Screen screen = plain ? main.screen().plain() : main.screen();
    ConsoleListener console =
        screen.kind() == Screen.Kind.PLAIN
            ? ConsoleListener.lines(screen.out())
            : ConsoleListener.bar(screen.out(), screen.columns(), screen.charset());
    trainer.listener(console.unseen(options.unseen())).listener(main.interruption());
    if (lines != null) {
      trainer.listener(lines);
    }
    if (detectAnomaly) {
      trainer.onStep(1, TrainingRun::measured); // stops where it is not finite
    }
    History history = trainer.fit(parts.train(), parts.test(), options.epochs());
    TrainingResult.sayEnd(main.screen(), history, options.epochs());
    return history;
  }
}
