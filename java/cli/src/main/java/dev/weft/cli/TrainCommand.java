// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.data.Dataset;
import dev.weft.data.LastBatch;
import dev.weft.data.Split;
import dev.weft.io.AtomicFile;
import dev.weft.nn.LabelLoss;
import dev.weft.nn.Sequential;
import dev.weft.optim.Optimizer;
import dev.weft.train.ConsoleListener;
import dev.weft.train.Fusion;
import dev.weft.train.History;
import dev.weft.train.Trainer;
import dev.weft.train.TrainingRun;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
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
      "  weft train --hidden 2048,2048 --dropout 0 --batch 1024 --profile"
    })
final class TrainCommand implements Callable<Integer> {
  @ParentCommand private Main main;
  @Mixin private DataOptions data;
  @Mixin private NetworkOptions layers;
  @Mixin private OptimizerOptions rule;
  @Mixin private ScheduleOptions schedule;
  @Mixin private UpdateOptions updates;
  @Mixin private DeviceOptions where;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      defaultValue = "5",
      description = "Passes over the training data. Default: ${DEFAULT-VALUE}.")
  private int epochs;

  @Mixin private StoppingOptions stopping;

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "128",
      description = "Examples in a step; all, where there are fewer. Default: ${DEFAULT-VALUE}.")
  private int batch;

  @Option(
      names = "--last-batch",
      paramLabel = "WHAT",
      defaultValue = "keep",
      description = "keep or drop the examples that fill no batch. Default: ${DEFAULT-VALUE}.")
  private String lastBatch;

  @Option(
      names = "--data-memory",
      paramLabel = "MIB",
      description =
          "Device memory for the training data, and as much for the test data; what needs more is"
              + " streamed block by block. Default: on a GPU half of what is free.")
  private @Nullable Double dataMemory;

  @Option(
      names = "--fusion",
      paramLabel = "WHEN",
      defaultValue = "auto",
      description =
          "auto, never or always: whether a step of a network at most 128 wide runs as two fused"
              + " kernels. Default: ${DEFAULT-VALUE}, where that is faster: float32, up to 1024"
              + " rows on a GPU and 512 on a CPU with AVX2.")
  private String fusion;

  @Mixin private LossOptions losses;

  @Option(
      names = "--validation",
      paramLabel = "SHARE",
      defaultValue = "0",
      description =
          "This share of the training data is set aside and evaluated after every epoch, and the"
              + " test data once at the end. Default: the test data after every epoch.")
  private double validation;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Of first weights, order of examples and dropout. Default: ${DEFAULT-VALUE}.")
  private long seed;

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

  @Option(names = "--plain", description = "No progress bar, also in a terminal.")
  private boolean plain;

  private @Nullable EpochLog lines;

  @Override
  public Integer call() throws IOException {
    // all that can be wrong is looked at before the work begins
    data.check();
    layers.check();
    Optimizer optimizer = rule.optimizer();
    losses.check();
    LastBatch last = Choice.of("last batch", lastBatch, LastBatch.class);
    Fusion fused = Choice.of("fusion", fusion, Fusion.class);
    if (epochs < 1) {
      throw new IllegalArgumentException("at least 1 epoch, not " + epochs);
    }
    schedule.check(epochs, profile != null);
    updates.check(profile != null);
    if (losses.isWeighted() && updates.isAccumulated()) {
      throw new IllegalArgumentException(
          "--class-weights divides the loss of a batch by the weights of its examples, so that"
              + " --accumulate cannot add up batches: leave one out");
    }
    stopping.check(epochs, profile != null, schedule.plateau());
    MathMode math = where.math();
    if (!(validation >= 0 && validation < 1)) {
      throw new IllegalArgumentException("--validation must be in [0, 1), not " + validation);
    }
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
    try (Device device = where.open()) {
      Split split = data.read();
      Sequential network =
          layers.network(split.train().features().width(), split.train().classes());
      Split parts = validation == 0 ? split : setAside(split.train());
      LabelLoss loss = losses.of(parts.train());
      Trainer trainer =
          Trainer.of(network)
              .on(device)
              .math(math)
              .loss(loss)
              .optimizer(optimizer)
              .batch(batch)
              .lastBatch(last)
              .fusion(fused)
              .seed(seed);
      schedule.apply(trainer);
      updates.apply(trainer);
      stopping.apply(trainer, schedule.plateau());
      if (dataMemory != null) {
        trainer.dataMemory(dataBytes());
      }
      if (profile == null) {
        AtomicFile.checkSpace(file(), network.size() * math.dtype().wide().bytes());
      }
      int rows = Math.min(batch, parts.train().rows());
      announce(split, network, optimizer, rows, device, math);
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
              dataBytes(),
              stopping.keepsBest());
      History history = fit(trainer, parts, device);
      SavedNetwork saved = new SavedNetwork(file(), device, math, loss, batch);
      boolean finite =
          new TrainingResult(main.screen(), network, history, saved)
              .write(split.test(), epochs, account);
      return !finite || lines != null && lines.failed() ? Main.FAILURE : Main.SUCCESS;
    }
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
      Sequential.load(file());
    } catch (IOException e) {
      throw new IOException(
          format(
              "--overwrite replaces networks only, and %s is none (%s): name another file by --out",
              file(), e.getMessage()),
          e);
    }
  }

  /** The data without those to validate with, and these. */
  private Split setAside(Dataset train) {
    long rows = train.rows() - Math.round((1 - validation) * train.rows());
    if (rows < 1 || rows >= train.rows()) {
      throw new IllegalArgumentException(
          format(
              "--validation %s of %d examples sets %s aside",
              validation, train.rows(), rows < 1 ? "none" : "all"));
    }
    return train.split(1 - validation, seed);
  }

  /** Where the network goes. */
  private Path file() {
    return file != null ? file : Path.of(data.name() + ".safetensors");
  }

  private boolean isTraced() {
    return profile != null && !profile.toString().isEmpty();
  }

  private long dataBytes() {
    if (dataMemory != null && !(dataMemory > 0)) {
      throw new IllegalArgumentException("--data-memory must be above 0, not " + dataMemory);
    }
    return dataMemory == null ? Long.MAX_VALUE : (long) (dataMemory * (1 << 20));
  }

  private PrintWriter out() {
    return main.screen().out();
  }

  private void announce(
      Split split,
      Sequential network,
      Optimizer optimizer,
      int rows,
      Device device,
      MathMode math) {
    out().println("data     " + data.describe(split));
    out()
        .printf(ROOT, "network  %s, %s parameters%n", network.spec(), Amount.count(network.size()));
    out()
        .printf(
            ROOT,
            "training %s at %s, batch %d, seed %d%n",
            optimizer.spec(),
            optimizer.rate(),
            rows,
            seed);
    if (stopping.keepsBest()) {
      out().println("stopping after " + stopping.describe(unseen()));
    }
    out()
        .printf(
            ROOT, "device   %s (%s), %s%n", device.name(), device.description(), Choice.word(math));
  }

  private String unseen() {
    return validation > 0 ? "validation" : "test";
  }

  private History fit(Trainer trainer, Split parts, Device device) throws IOException {
    Screen screen = plain ? main.screen().plain() : main.screen();
    ConsoleListener console =
        screen.kind() == Screen.Kind.PLAIN
            ? ConsoleListener.lines(screen.out())
            : ConsoleListener.bar(screen.out(), screen.columns(), screen.charset());
    trainer.listener(console.unseen(unseen())).listener(main.interruption());
    try (EpochLog opened = log == null ? null : new EpochLog(log, device, main.screen().err())) {
      lines = opened;
      if (lines != null) {
        trainer.listener(lines);
      }
      if (detectAnomaly) {
        trainer.onStep(1, TrainingRun::measured); // stops where it is not finite
      }
      return trainer.fit(parts.train(), parts.test(), epochs);
    }
  }
}
