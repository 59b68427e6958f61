// SPDX-License-Identifier: Apache-2.0
// training: weft examples run gradient-clipping [--out FOLDER]
import dev.weft.Device;
import dev.weft.data.Dataset;
import dev.weft.data.Digits;
import dev.weft.nn.Initializers;
import dev.weft.nn.Sequential;
import dev.weft.optim.Clip;
import dev.weft.optim.Sgd;
import dev.weft.report.Plot;
import dev.weft.train.DivergedException;
import dev.weft.train.Trainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A deep network whose gradients explode: training ends in NaN, and the error names the step and
 * the parameter; with gradients clipped by their norm it goes on (lecture [2], "Gradient
 * Clipping").
 */
public class GradientClipping {
  private static final Dataset DIGITS = Digits.generate(3_000, 1).train();

  public static void main(String[] args) throws Exception {
    Plot plot = Plot.of("Gradients that explode", "step", "loss").logX().logY().yRange(0.1, 1e8);
    show(plot, "not clipped", null);
    show(plot, "clipped to norm 1", Clip.norm(1));
    plot.write(Path.of(args.length > 0 ? args[0] : "").resolve("gradient-clipping.svg"));
  }

  private static void show(Plot plot, String name, @Nullable Clip clip) {
    String spec = "linear(784,64) relu " + "linear(64,64) relu ".repeat(8) + "linear(64,10)";
    var network = Sequential.parse(spec, Initializers.normal(0, 0.25));
    List<Double> losses = new ArrayList<>();
    try (Device device = Device.cpu()) {
      Trainer trainer = Trainer.of(network).on(device).optimizer(Sgd.rate(0.2)).batch(50);
      trainer.clip(clip).onStep(1, run -> losses.add(run.loss()));
      System.out.println(name + ": " + trainer.fit(DIGITS, 20).last());
    } catch (DivergedException e) {
      System.out.println(name + ": " + e.getMessage());
    }
    double[] y = losses.stream().mapToDouble(x -> x).takeWhile(Double::isFinite).toArray();
    plot.line(name, IntStream.rangeClosed(1, y.length).asDoubleStream().toArray(), y);
  }
}
