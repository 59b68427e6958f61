// SPDX-License-Identifier: Apache-2.0
// pictures: weft examples run optimizer-paths [--out FOLDER]
import dev.weft.*;
import dev.weft.report.*;
import java.nio.file.Path;
import java.util.*;

/** The paths of Descent over lines of equal value, and as an animation (lecture 4). */
public class OptimizerPaths {
  static Plots picture(Map<String, double[]> values, Map<String, double[][]> paths, int steps) {
    double[] side = Plot.evenly(-2, 2, 81);
    List<Plot> plots = new ArrayList<>();
    for (String surface : Descent.SURFACES) {
      Plot plot = Plot.of(surface, "", "");
      plot.contour("", side, side, values.get(surface), -3, -1, -0.1, 0.1, 0.3, 1, 3, 10, 30, 100);
      for (String rule : Descent.RULES) {
        double[][] path = Arrays.copyOf(paths.get(surface + rule), steps);
        plot.line(rule, path).points(rule, new double[][] {path[steps - 1]});
      }
      plots.add(plot);
    }
    return Plots.of(3, plots.toArray(Plot[]::new));
  }

  public static void main(String[] args) throws Exception {
    Map<String, double[]> values = new HashMap<>();
    Map<String, double[][]> paths = new HashMap<>();
    double[] side = Plot.evenly(-2, 2, 81);
    try (Device device = Device.cpu();
        Tensor grid = device.tensor(DType.F64, Plot.grid(side, side))) {
      for (String surface : Descent.SURFACES) {
        try (Tape tape = Tape.inference(device)) {
          values.put(surface, Descent.value(tape, surface, grid).toDoubles());
        }
        for (String rule : Descent.RULES) {
          paths.put(surface + rule, Descent.path(surface, rule, 121));
        }
      }
    }
    Path folder = Path.of(args.length > 0 ? args[0] : ".");
    picture(values, paths, 121).write(folder.resolve("optimizer-paths.svg"));
    List<Plots> frames = new ArrayList<>();
    for (int steps = 1; steps <= 121; steps += 3) {
      frames.add(picture(values, paths, steps));
    }
    Animation.of(frames).write(folder.resolve("optimizer-paths.gif"));
    System.out.println(frames.size() + " frames");
  }
}
