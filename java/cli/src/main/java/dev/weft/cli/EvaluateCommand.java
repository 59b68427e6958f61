// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.data.Dataset;
import dev.weft.data.Split;
import dev.weft.io.AtomicFile;
import dev.weft.io.Safetensors;
import dev.weft.nn.LabelLoss;
import dev.weft.nn.Network;
import dev.weft.train.Evaluation;
import dev.weft.train.Evaluator;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code weft evaluate}. */
@Command(
    name = "evaluate",
    mixinStandardHelpOptions = true,
    description = "Runs a network from a file over the test data: loss and accuracy.",
    footer = {
      "",
      "Examples:",
      "  weft evaluate digits.safetensors",
      "  weft evaluate digits.safetensors --loss multi_class_hinge --class-weights balanced",
      "  weft evaluate mnist.safetensors --data mnist/ --predictions predictions.csv"
    })
final class EvaluateCommand implements Callable<Integer> {
  private static final String HEAD = "row,label,prediction\n";

  @ParentCommand private Main main;

  @Parameters(paramLabel = "MODEL", description = "A file that weft train wrote.")
  private Path model;

  @Mixin private DataOptions data;
  @Mixin private DeviceOptions where;
  @Mixin private LossOptions losses;

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "1000",
      description = "Examples at a time. Default: ${DEFAULT-VALUE}.")
  private int batch;

  @Option(
      names = "--predictions",
      paramLabel = "FILE",
      description = "A CSV file for row, label and prediction of every test example.")
  private @Nullable Path predictions;

  @Override
  public Integer call() throws IOException {
    if (batch < 1) {
      throw new IllegalArgumentException("--batch must be at least 1, not " + batch);
    }
    data.check();
    losses.check();
    if (predictions != null) {
      SideFile.check(predictions);
    }
    MathMode math = where.math();
    Network network = Network.load(model);
    try (Arena arena = Arena.ofConfined()) {
      losses.fill(model, Safetensors.map(model, arena).metadata());
    }
    losses.check();
    try (Device device = where.open();
        Network loaded = network.on(device, math)) {
      Split split = data.read();
      Dataset test = split.test();
      LabelLoss loss = losses.of(split.train());
      try (Evaluator evaluator = new Evaluator(loaded, loss, test, batch)) {
        if (predictions != null) {
          AtomicFile.checkSpace(predictions, leastBytes(test));
        }
        Evaluation evaluation = evaluator.evaluate();
        checkFinite(loaded, evaluation);
        main.screen()
            .out()
            .printf(
                ROOT,
                "%s on %s (%s), %s: %s test examples of %s, loss %.4f (%s%s), accuracy %s%n",
                model,
                device.name(),
                device.description(),
                Choice.word(math),
                Amount.count(evaluation.rows()),
                data.source(),
                evaluation.loss(),
                loss.spec(),
                loss.weights().classes().isEmpty() ? "" : ", classes weighted",
                Amount.percent(evaluation.accuracy()));
        if (predictions != null) {
          write(predictions, test, loaded.classes(test));
          main.screen().out().println("wrote " + predictions);
        }
      }
    }
    return Main.SUCCESS;
  }

  /** Nothing that is computed from NaN means anything. */
  private void checkFinite(Network network, Evaluation evaluation) {
    if (!Double.isFinite(evaluation.loss())) {
      String reason =
          network.notFinite().entrySet().stream()
              .findFirst()
              .map(
                  e -> format("%d values of parameter %s are not finite", e.getValue(), e.getKey()))
              .orElse("all parameters are finite, so look for extreme values in the data");
      throw new IllegalStateException(
          format(
              "%s: the loss is %s, and no accuracy or prediction would mean anything: %s",
              model, evaluation.loss(), reason));
    }
  }

  /** A row is three numbers of a digit or more. */
  private static long leastBytes(Dataset test) {
    return HEAD.length() + (long) test.rows() * "0,0,0\n".length();
  }

  private static void write(Path predictions, Dataset test, int[] classes) throws IOException {
    int[] labels = test.targets().toInts();
    StringBuilder csv = new StringBuilder(HEAD);
    for (int row = 0; row < classes.length; row++) {
      csv.append(row).append(',').append(labels[row]).append(',').append(classes[row]);
      csv.append('\n');
    }
    AtomicFile.write(predictions, csv.toString());
  }
}
