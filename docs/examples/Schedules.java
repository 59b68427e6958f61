// SPDX-License-Identifier: Apache-2.0
// training: weft examples run schedules [--out FOLDER]
import static dev.weft.optim.Schedule.*;

import dev.weft.optim.Schedule;
import dev.weft.report.Plot;
import dev.weft.report.Plots;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** The courses of the learning rate over 20 epochs of 50 updates (lecture 4: decaying rates). */
public class Schedules {
  static final int EPOCHS = 20;
  static final int UPDATES = 50;

  static Map<String, Schedule> schedules() {
    Map<String, Schedule> all = new LinkedHashMap<>();
    all.put("linear", linear(EPOCHS));
    all.put("cosine", cosine(EPOCHS));
    all.put("polynomial:2", polynomial(EPOCHS, 2));
    all.put("steps:5:0.5", steps(5, 0.5));
    all.put("multi-step:10,15:0.1", multiStep(0.1, 10, 15));
    all.put("exponential:0.8", exponential(0.8));
    all.put("restarts:3:2", cosineRestarts(3, 2));
    all.put("one-cycle", oneCycle(EPOCHS));
    all.put("inverse-square-root:100", inverseSquareRoot(100));
    return all;
  }

  public static void main(String[] args) throws Exception {
    double[] epochs = new double[EPOCHS * UPDATES + 1];
    Plot[] plots =
        schedules().entrySet().stream()
            .map(
                each -> {
                  double[] factors = new double[epochs.length];
                  for (int u = 0; u < epochs.length; u++) {
                    epochs[u] = u / UPDATES + (u % UPDATES) / (double) UPDATES;
                    factors[u] = each.getValue().factor(u, epochs[u]);
                  }
                  System.out.printf("%-24s after 10 epochs %.4f%n", each.getKey(), factors[500]);
                  return Plot.of(each.getKey(), "epoch", "factor of the rate")
                      .yRange(0, 1.05)
                      .line("", epochs, factors);
                })
            .toArray(Plot[]::new);
    Path folder = Path.of(args.length > 0 ? args[0] : ".");
    Plots.of(3, plots).write(folder.resolve("schedules.svg"));
  }
}
