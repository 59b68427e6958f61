// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.data.Digits;
import dev.weft.data.Split;
import dev.weft.nn.Activation;
import dev.weft.nn.Dropout;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.optim.Adam;
import dev.weft.train.Fusion;
import dev.weft.train.Trainer;
import dev.weft.train.TrainingRun;
import java.util.List;

/** The same few steps of training on a device and on the CPU: how far their losses are apart. */
final class TwinTraining {
  static final int STEPS = 20;
  private static final int EXAMPLES = 1280;

  private TwinTraining() {}

  /**
   * What came out.
   *
   * @param fusion whether the device's steps were fused; the CPU's were not
   * @param steps how many losses were compared
   * @param error the largest relative difference of two losses
   * @param tolerance the largest that passes
   */
  record Outcome(MathMode math, Fusion fusion, int steps, double error, double tolerance) {
    boolean passed() {
      return error <= tolerance;
    }
  }

  /** The ways in which a step of this mode can run. */
  static List<Fusion> fusions(MathMode math) {
    return math == MathMode.BF16 ? List.of(Fusion.NEVER) : List.of(Fusion.NEVER, Fusion.ALWAYS);
  }

  /** Trains on both. */
  static Outcome run(Device device, MathMode math, Fusion fusion, int steps) {
    Split digits = Digits.generate(EXAMPLES, 7);
    double[] actual = losses(device, math, fusion, digits, steps);
    double[] expected;
    try (Device cpu = Device.cpu()) {
      expected = losses(cpu, math, Fusion.NEVER, digits, steps);
    }
    double error = 0;
    for (int i = 0; i < steps; i++) {
      double relative = Math.abs(actual[i] - expected[i]) / Math.abs(expected[i]);
      error = Double.isNaN(relative) ? Double.POSITIVE_INFINITY : Math.max(error, relative);
    }
    return new Outcome(math, fusion, steps, error, tolerance(math));
  }

  private static double tolerance(MathMode math) {
    return switch (math) {
      case STRICT -> 1e-4; // sums in another order, through 20 steps of Adam
      case FAST, BF16 -> 2e-2;
      case DOUBLE -> 1e-10;
    };
  }

  private static double[] losses(
      Device device, MathMode math, Fusion fusion, Split digits, int steps) {
    double[] losses = new double[steps];
    try (Sequential network =
            Sequential.of(
                new Linear(784, 64), Activation.RELU, new Dropout(0.2), new Linear(64, 10));
        TrainingRun run =
            Trainer.of(network)
                .on(device)
                .math(math)
                .optimizer(Adam.rate(1e-3))
                .batch(64)
                .fusion(fusion)
                .start(digits.train())) {
      for (int i = 0; i < steps; i++) {
        run.step();
        losses[i] = run.loss();
      }
    }
    return losses;
  }
}
