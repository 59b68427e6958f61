// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.data.Digits;
import dev.weft.data.Split;
import dev.weft.nn.Activation;
import dev.weft.nn.Dropout;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.optim.Adam;
import dev.weft.support.Emulator;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The same training run on the CPU and through the whole CUDA path. */
@ExtendWith(Emulator.class)
class TrainingAcrossDevicesTest {
  private static final int STEPS = 20;

  /** Losses and final values of a run. */
  private record Run(double[] losses, double[] values) {}

  private static Run train(Supplier<Device> open, MathMode math, long seed) {
    Split digits = Digits.generate(1_000, 7);
    try (Device device = open.get()) {
      Sequential network =
          Sequential.of(
              new Linear(784, 512), Activation.RELU, new Dropout(0.2), new Linear(512, 10));
      Trainer trainer =
          Trainer.of(network)
              .on(device)
              .math(math)
              .optimizer(Adam.rate(1e-3))
              .batch(128)
              .seed(seed);
      double[] losses = new double[STEPS];
      // 1,000 rows are 7 batches of 128 and one of 104: the run crosses epochs and both programs
      try (TrainingRun run = trainer.start(digits.train())) {
        for (int step = 0; step < STEPS; step++) {
          run.step();
          losses[step] = run.loss();
        }
      }
      return new Run(losses, network.arena().values().toDoubles());
    }
  }

  private static double largestDifference(double[] expected, double[] actual) {
    double largest = 0;
    for (int i = 0; i < expected.length; i++) {
      largest = Math.max(largest, Math.abs(actual[i] - expected[i]) / Math.abs(expected[i]));
    }
    return largest;
  }

  @ParameterizedTest(name = "{0} within {1}")
  @CsvSource({"STRICT, 1e-5", "FAST, 2e-2", "BF16, 2e-2", "DOUBLE, 1e-10"})
  void lossesOfTheFirstStepsAgree(MathMode math, double tolerance) {
    double[] cpu = train(Device::cpu, math, 1).losses();
    double[] cuda = train(Emulator::device, math, 1).losses();
    double error = largestDifference(cpu, cuda);
    System.out.printf("%s: largest relative difference of %d losses: %.2g%n", math, STEPS, error);
    assertTrue(error <= tolerance, () -> "largest relative difference " + error);
    assertTrue(cpu[STEPS - 1] < cpu[0] / 2, "the run learns something");
  }

  @Test
  void anotherSeedIsFarOutsideTheTolerance() {
    double[] one = train(Device::cpu, MathMode.STRICT, 1).losses();
    double[] two = train(Device::cpu, MathMode.STRICT, 2).losses();
    assertTrue(largestDifference(one, two) > 1e-3);
  }

  @Test
  void twoCudaRunsGiveTheSameBits() {
    Run first = train(Emulator::device, MathMode.STRICT, 1);
    Run second = train(Emulator::device, MathMode.STRICT, 1);
    assertArrayEquals(first.losses(), second.losses());
    assertArrayEquals(first.values(), second.values());
  }

  @Test
  void twoCpuRunsGiveTheSameBits() {
    Run first = train(Device::cpu, MathMode.STRICT, 1);
    Run second = train(Device::cpu, MathMode.STRICT, 1);
    assertArrayEquals(first.losses(), second.losses());
    assertArrayEquals(first.values(), second.values());
    assertNotEquals(first.losses()[0], first.losses()[1]);
  }

  @Test
  void initialValuesAreTheSameOnBothDevices() {
    double[][] values = new double[2][];
    int at = 0;
    for (Supplier<Device> open :
        java.util.List.<Supplier<Device>>of(Device::cpu, Emulator::device)) {
      try (Device device = open.get()) {
        Sequential network = Sequential.of(new Linear(33, 17));
        network.seed(5).on(device);
        values[at++] = network.arena().values().toDoubles();
        network.close();
        assertEquals(0, device.memory().live());
      }
    }
    assertArrayEquals(values[0], values[1]);
  }
}
