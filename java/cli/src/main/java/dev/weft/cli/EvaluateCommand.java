// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static java.util.Locale.ROOT;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.data.Dataset;
import dev.weft.io.AtomicFile;
import dev.weft.nn.Sequential;
import dev.weft.nn.SoftmaxCrossEntropy;
import dev.weft.train.Evaluation;
import dev.weft.train.Evaluator;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Callable;
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
      "  weft evaluate mnist.safetensors --data mnist/ --predictions predictions.csv"
    })
final class EvaluateCommand implements Callable<Integer> {
  @ParentCommand private Main main;

  @Parameters(paramLabel = "MODEL", description = "A file that weft train wrote.")
  private Path model;

  @Mixin private DataOptions data;
  @Mixin private DeviceOptions where;

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
  private Path predictions;

  @Override
  public Integer call() throws IOException {
    if (batch < 1) {
      throw new IllegalArgumentException("--batch must be at least 1, not " + batch);
    }
    data.check();
    if (predictions != null) {
      SideFile.check(predictions);
    }
    MathMode math = where.math();
    Sequential network = Sequential.load(model);
    try (Device device = where.open();
        Sequential loaded = network.on(device, math, 0)) {
      Dataset test = data.read().test();
      try (Evaluator evaluator = new Evaluator(loaded, new SoftmaxCrossEntropy(), test, batch)) {
        Evaluation evaluation = evaluator.evaluate();
        main.screen()
            .out()
            .printf(
                ROOT,
                "%s on %s (%s), %s: %s test examples of %s, loss %.4f, accuracy %s%n",
                model,
                device.name(),
                device.description(),
                Choice.word(math),
                Amount.count(evaluation.rows()),
                data.source(),
                evaluation.loss(),
                Amount.percent(evaluation.accuracy()));
        if (predictions != null) {
          write(test, evaluator.predict());
          main.screen().out().println("wrote " + predictions);
        }
      }
    }
    return Main.SUCCESS;
  }

  private void write(Dataset test, int[] classes) throws IOException {
    StringBuilder csv = new StringBuilder("row,label,prediction\n");
    for (int row = 0; row < classes.length; row++) {
      csv.append(row).append(',').append(test.labels().get(row)).append(',').append(classes[row]);
      csv.append('\n');
    }
    ByteBuffer bytes = StandardCharsets.UTF_8.encode(csv.toString());
    AtomicFile.write(
        predictions,
        channel -> {
          while (bytes.hasRemaining()) {
            channel.write(bytes);
          }
        });
  }
}
