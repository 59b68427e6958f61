// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import dev.weft.MathMode;
import dev.weft.bench.measure.ChildFailedException;
import dev.weft.bench.measure.ChildJava;
import dev.weft.bench.peer.Mlp;
import dev.weft.bench.peer.Side;
import dev.weft.bench.peer.Target;
import dev.weft.bench.peer.TrainingStep;
import java.util.List;

/** Trains a few steps on one side and tells their losses. */
final class LossRun {
  private static final String MARK = "loss ";

  /** A side that could not train. */
  static final class FailedException extends RuntimeException {
    FailedException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  private LossRun() {}

  /** Arguments: side, network, arithmetic, target. */
  public static void main(String[] arguments) {
    double[] losses =
        train(
            Side.valueOf(arguments[0]),
            Mlp.parse(arguments[1]),
            MathMode.valueOf(arguments[2]),
            Target.valueOf(arguments[3]));
    for (double loss : losses) {
      System.out.println(MARK + loss);
    }
  }

  private static double[] train(Side side, Mlp mlp, MathMode mode, Target target) {
    double[] losses = new double[mlp.checkedSteps()];
    try (TrainingStep training = side.start(mlp, mode, target)) {
      for (int step = 0; step < losses.length; step++) {
        losses[step] = training.stepAndLoss();
      }
    }
    return losses;
  }

  /**
   * The losses of the first steps.
   *
   * @param apart in a Java machine of its own, so that no side meets another's libraries
   * @throws FailedException where there are none
   */
  static double[] losses(
      Side side, Mlp mlp, MathMode mode, Target target, int threads, boolean apart) {
    if (!apart) {
      try {
        return train(side, mlp, mode, target);
      } catch (RuntimeException | Error e) {
        throw new FailedException(e.toString(), e);
      }
    }
    List<String> arguments = List.of(side.name(), mlp.toString(), mode.name(), target.name());
    try {
      return ChildJava.run(LossRun.class, threads, List.of(), arguments).stream()
          .filter(line -> line.startsWith(MARK))
          .mapToDouble(line -> Double.parseDouble(line.substring(MARK.length())))
          .toArray();
    } catch (ChildFailedException e) {
      throw new FailedException(e.getMessage(), e);
    }
  }
}
