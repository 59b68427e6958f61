// SPDX-License-Identifier: Apache-2.0
import dev.weft.*;
import dev.weft.nn.*;
import dev.weft.optim.*;
import dev.weft.report.*;
import java.nio.file.Path;
import java.util.*;

/** Where optimizers go in a ravine, at a saddle and in a long valley (lectures 2 and 4). */
public class OptimizerPaths {
  /** A function's view, where its paths start, their steps, rates, and lines of equal value. */
  record Surface(
      double[] xs,
      double[] ys,
      double[] start,
      int steps,
      double rate,
      double step,
      double... levels) {}

  static final Map<String, Surface> SURFACES =
      new TreeMap<>(
          Map.of(
              "ravine",
                  new Surface(
                      Plot.evenly(-10, 2, 81),
                      Plot.evenly(-2, 2, 81),
                      new double[] {-9, 1.5},
                      60,
                      0.9,
                      0.3,
                      .1,
                      .5,
                      1,
                      2,
                      3,
                      4,
                      5,
                      6,
                      7,
                      8),
              "saddle",
                  new Surface(
                      Plot.evenly(-2, 2, 81),
                      Plot.evenly(-2, 2, 81),
                      new double[] {1.5, 0.01},
                      60,
                      0.02,
                      0.05,
                      -3,
                      -2,
                      -1,
                      -.5,
                      0,
                      .5,
                      1,
                      2,
                      3),
              "valley",
                  new Surface(
                      Plot.evenly(-2, 2, 81),
                      Plot.evenly(-1, 3, 81),
                      new double[] {-1.5, 2.5},
                      300,
                      0.0005,
                      0.05,
                      1,
                      3,
                      10,
                      30,
                      100,
                      300,
                      1000)));

  static Tensor value(Operations o, String surface, Tensor points) {
    Tensor x = o.slice(points, 1, 0, 1), y = o.slice(points, 1, 1, 2);
    return switch (surface) {
      case "ravine" -> o.add(o.scale(o.square(x), 0.05), o.square(y));
      case "saddle" -> o.subtract(o.square(x), o.square(y));
      default ->
          o.add(o.square(o.shift(x, -1)), o.scale(o.square(o.subtract(y, o.square(x))), 100));
    };
  }

  static Map<String, Optimizer> rules(Surface s) {
    var rules = new LinkedHashMap<String, Optimizer>();
    rules.put("sgd", Sgd.rate(s.rate));
    rules.put("momentum", Sgd.rate(s.rate / 4).momentum(0.9));
    rules.put("nesterov", Sgd.rate(s.rate / 4).momentum(0.9).nesterov());
    rules.put("adam", Adam.rate(s.step));
    return rules;
  }

  /** The point is the weights of a layer whose input is 1. */
  static double[][] path(Device device, String name, Surface s, Optimizer rule) {
    double[][] path = new double[3][s.steps];
    var point =
        Sequential.of(
            new Linear(1, 2, (t, seed, draw) -> t.copyFrom(s.start), Linear.Bias.WITHOUT));
    try (point;
        Tensor one = device.tensor(DType.F64, new double[][] {{1}});
        var stepper = rule.stepper(point.on(device, MathMode.DOUBLE))) {
      for (int i = 0; i < s.steps; i++) {
        try (Tape tape = stepper.tape()) {
          Tensor p = point.forward(tape, one), value = tape.sum(value(tape, name, p));
          path[0][i] = p.toDoubles()[0];
          path[1][i] = p.toDoubles()[1];
          path[2][i] = value.item();
          tape.backward(value);
          stepper.step();
        }
      }
    }
    return path;
  }

  public static void main(String[] args) throws Exception {
    List<Plot> plots = new ArrayList<>();
    try (Device device = Device.cpu()) {
      SURFACES.forEach(
          (name, s) -> {
            Plot plot = Plot.of(name, "", "");
            plots.add(plot);
            try (Tape tape = Tape.inference(device);
                Tensor g = device.tensor(DType.F64, Plot.grid(s.xs, s.ys))) {
              plot.contour("", s.xs, s.ys, value(tape, name, g).toDoubles(), s.levels);
            }
            rules(s)
                .forEach(
                    (rule, optimizer) -> {
                      double[][] path = path(device, name, s, optimizer);
                      plot.line(rule, path[0], path[1]);
                      int n = s.steps - 1;
                      System.out.printf(
                          "%s %s: x %.3f y %.3f, %.4f%n",
                          name, rule, path[0][n], path[1][n], path[2][n]);
                    });
          });
    }
    Plots.of(3, plots.toArray(Plot[]::new))
        .write(Path.of(args.length > 0 ? args[0] : ".", "optimizer-paths.svg"));
  }
}
