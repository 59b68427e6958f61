// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import dev.weft.MathMode;
import dev.weft.bench.peer.Mlp;
import dev.weft.bench.peer.Side;
import dev.weft.bench.peer.Target;
import dev.weft.bench.peer.Threads;
import dev.weft.bench.peer.TrainingStep;
import java.util.List;

/** Trains a few steps on one side and prints their losses: no side meets another's libraries. */
final class LossRun {
  private static final String MARK = "loss ";

  private LossRun() {}

  /** Arguments: side, network, arithmetic, target, steps. */
  public static void main(String[] arguments) {
    Threads.apply();
    try (TrainingStep training =
        Side.valueOf(arguments[0])
            .start(
                Mlp.parse(arguments[1]),
                MathMode.valueOf(arguments[2]),
                Target.valueOf(arguments[3]))) {
      for (int step = 0; step < Integer.parseInt(arguments[4]); step++) {
        System.out.println(MARK + training.stepAndLoss());
      }
    }
  }

  /** The losses of the first steps. */
  static double[] losses(Side side, Mlp mlp, MathMode mode, Target target, int threads) {
    List<String> arguments =
        List.of(
            side.name(),
            mlp.toString(),
            mode.name(),
            target.name(),
            Integer.toString(mlp.checkedSteps()));
    return ChildJava.run(LossRun.class, threads, List.of(), arguments).stream()
        .filter(line -> line.startsWith(MARK))
        .mapToDouble(line -> Double.parseDouble(line.substring(MARK.length())))
        .toArray();
  }
}
