// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.Device;
import dev.weft.data.Split;
import dev.weft.nn.Sequential;
import dev.weft.report.Plot;
import dev.weft.train.RateCurve;
import dev.weft.train.RateFinder;
import dev.weft.train.Trainer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code weft lr-find}. */
@Command(
    name = "lr-find",
    mixinStandardHelpOptions = true,
    description = {
      "Suggests a learning rate for a network.",
      "By a range test: the rate grows from update to update, and where the loss falls fastest is"
          + " one to train with. Nothing is saved but the picture."
    },
    footer = {
      "",
      "Examples:",
      "  weft lr-find",
      "  weft lr-find --hidden 512,256 --optimizer nesterov --batch 256 --out rates.svg",
      "  weft lr-find --data mnist/ --from 1e-5 --to 100 --updates 300"
    })
final class LrFindCommand implements Callable<Integer> {
  private static final int ROWS = 20;

  @ParentCommand private Main main;
  @Spec private CommandSpec spec;
  @Mixin private StepOptions step;

  @Option(
      names = "--from",
      paramLabel = "X",
      defaultValue = "1e-7",
      description = "The first rate. Default: ${DEFAULT-VALUE}.")
  private double from;

  @Option(
      names = "--to",
      paramLabel = "X",
      defaultValue = "10",
      description = "The last rate. Default: ${DEFAULT-VALUE}.")
  private double to;

  @Option(
      names = "--updates",
      paramLabel = "N",
      defaultValue = "100",
      description = "How many rates are tried, each by one update. Default: ${DEFAULT-VALUE}.")
  private int updates;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "A picture of the loss by rate, .svg or .png; one that is there is replaced.")
  private @Nullable Path out;

  @Override
  public Integer call() throws IOException {
    if (spec.commandLine().getParseResult().hasMatchedOption("--rate")) {
      throw new IllegalArgumentException(
          "--rate is what is looked for: leave it out; --from and --to say between which");
    }
    step.check(false);
    try (Sequential any = Sequential.parse("linear(1,1)")) {
      finder(Trainer.of(any)); // which says what it cannot be
    }
    if (out != null) {
      SideFile.checkPicture(out);
    }
    try (Device device = step.where().open()) {
      Split split = step.data().read();
      try (Sequential network = step.network(split.train())) {
        Trainer trainer = step.trainer(network, device, step.losses().of(split.train()));
        RateFinder finder = finder(trainer);
        main.screen().out().println("data     " + step.data().describe(split));
        main.screen().out().println("network  " + network.spec());
        main.screen()
            .out()
            .println(
                format(
                    "training %s, batch %d, seed %d",
                    step.optimizer().spec(), step.batch(), step.seed()));
        Thread here = Thread.currentThread();
        main.interruption().onStart(here::interrupt);
        return show(finder.run(split.train()));
      }
    }
  }

  private RateFinder finder(Trainer trainer) {
    return RateFinder.of(trainer).range(from, to).updates(updates);
  }

  private int show(RateCurve curve) throws IOException {
    List<RateCurve.Point> points = curve.points();
    Table table =
        new Table(
            main.screen().out(),
            Table.right("rate", 9),
            Table.right("loss", 10),
            Table.right("smoothed", 10));
    table.row("-", format("%.4g", curve.start()), "");
    int step = Math.max(1, Math.ceilDiv(points.size(), ROWS));
    for (int i = 0; i < points.size(); i += step) {
      RateCurve.Point at = points.get(i);
      table.row(
          format("%.2e", at.rate()), format("%.4g", at.loss()), format("%.4g", at.smoothed()));
    }
    main.screen().out().println("ended    " + curve.ended());
    if (out != null && !points.isEmpty()) {
      draw(curve, out);
      main.screen().out().println("wrote    " + out);
    }
    if (curve.suggestion().isEmpty()) {
      main.screen().out().flush();
      main.screen().err().println("weft: no rate is suggested: " + curve.why());
      return Main.FAILURE;
    }
    main.screen()
        .out()
        .println(format("--rate %.2g: %s", curve.suggestion().getAsDouble(), curve.why()));
    return Main.SUCCESS;
  }

  private static void draw(RateCurve curve, Path file) throws IOException {
    double[] rates = all(curve, RateCurve.Point::rate);
    double most = Math.max(curve.start(), curve.points().getFirst().smoothed());
    RateCurve.Point least = curve.least();
    double low = least == null ? 0 : least.smoothed();
    Plot plot =
        Plot.of("range test", "learning rate", "loss")
            .logX()
            // the loss where it has grown would leave no room for its fall
            .yRange(low - 0.2 * Math.abs(most - low) - 1e-9, most + Math.abs(most - low) + 1e-9)
            .points("loss", rates, all(curve, RateCurve.Point::loss))
            .line("smoothed", rates, all(curve, RateCurve.Point::smoothed));
    for (RateCurve.Point each : curve.points()) {
      if (each.rate() == curve.suggestion().orElse(Double.NaN)) {
        plot.points(
            format("suggested: %.2g", each.rate()),
            new double[] {each.rate()},
            new double[] {each.smoothed()});
      }
    }
    plot.write(file);
  }

  private static double[] all(RateCurve curve, ToDoubleFunction<RateCurve.Point> value) {
    return curve.points().stream().mapToDouble(value).toArray();
  }
}
