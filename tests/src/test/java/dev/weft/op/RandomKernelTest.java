// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.Shape;
import dev.weft.StepState;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.device.Arguments;
import dev.weft.device.Kernel;
import dev.weft.support.Emulator;
import dev.weft.support.OnEachDevice;
import dev.weft.support.Philox;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Draws are those of Philox4x32-10, the same on every device. */
public class RandomKernelTest {
  private static final long SEED = 0x1234_5678_9ABC_DEF0L;
  private static final long STEP = 0x1_0000_0005L;
  private static final int OPERATION = 3;

  /** The vectors that come with Random123 (kat_vectors, philox 4x32, 10 rounds). */
  @Test
  void oracleKnowsTheAnswersOfRandom123() {
    assertArrayEquals(
        new int[] {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, Philox.block(new int[4], 0, 0));
    assertArrayEquals(
        new int[] {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        Philox.block(new int[] {-1, -1, -1, -1}, -1, -1));
    assertArrayEquals(
        new int[] {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
        Philox.block(
            new int[] {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0));
  }

  private static double[] draw(
      Device device, Kernel kernel, DType dtype, int n, long seed, double a, double b) {
    try (Tensor y = device.allocate(dtype, Shape.of(n))) {
      Engine.run(
          device,
          kernel,
          dtype.precision(),
          new Arguments.Random(Engine.address(y), n, seed, STEP, OPERATION, a, b));
      return y.toDoubles();
    }
  }

  @OnEachDevice
  void uniformFollowsPhilox(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      for (int n : new int[] {1, 4, 1027, 5000}) {
        double[] expected = new double[n];
        Arrays.setAll(expected, i -> -2 + 5 * word(i) / 4294967296.0);
        assertArrayEquals(
            expected, draw(device, Kernel.RANDOM_UNIFORM, DType.F64, n, SEED, -2, 3), 1e-15);
        Arrays.setAll(expected, i -> -2 + 5 * Math.floor(word(i) / 256) / 16777216.0);
        assertArrayEquals(
            expected, draw(device, Kernel.RANDOM_UNIFORM, DType.F32, n, SEED, -2, 3), 3e-7);
      }
    }
  }

  /** Box-Muller over words 0 and 1, and 2 and 3, of each block. */
  @OnEachDevice
  void normalFollowsPhilox(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      for (int n : new int[] {1, 3, 4, 1027, 5000}) {
        double[] expected = new double[n];
        for (int i = 0; i < n; i++) {
          int pair = i - i % 2;
          double radius = Math.sqrt(-2 * Math.log((word(pair) + 1) / 4294967296.0));
          double angle = 2 * Math.PI * word(pair + 1) / 4294967296.0;
          expected[i] = 1 + 0.5 * radius * (i % 2 == 0 ? Math.cos(angle) : Math.sin(angle));
        }
        assertArrayEquals(
            expected, draw(device, Kernel.RANDOM_NORMAL, DType.F64, n, SEED, 1, 0.5), 1e-14);
        assertArrayEquals(
            expected, draw(device, Kernel.RANDOM_NORMAL, DType.F32, n, SEED, 1, 0.5), 3e-7);
      }
    }
  }

  private static double word(int element) {
    return Philox.word(SEED, STEP, OPERATION, element);
  }

  /** 200,000 draws: mean and variance within five standard errors. */
  @Test
  void momentsAreRight() {
    try (Device cpu = Device.cpu()) {
      int n = 200_000;
      moments(draw(cpu, Kernel.RANDOM_UNIFORM, DType.F32, n, 1, -1, 1), 0, 1 / 3.0, 9 / 5.0);
      moments(draw(cpu, Kernel.RANDOM_NORMAL, DType.F32, n, 1, 2, 3), 2, 9, 3);
    }
  }

  private static void moments(double[] x, double mean, double variance, double kurtosis) {
    double m = Arrays.stream(x).average().getAsDouble();
    double v =
        Arrays.stream(x).map(value -> (value - mean) * (value - mean)).average().getAsDouble();
    assertEquals(mean, m, 5 * Math.sqrt(variance / x.length));
    assertEquals(variance, v, 5 * variance * Math.sqrt((kurtosis - 1) / x.length));
  }

  /** To the bit, whether the GPU contracts products and sums or not. */
  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void devicesDrawTheSame(DType dtype) {
    try (Device cuda = Emulator.device();
        Device cpu = Device.cpu()) {
      for (Kernel kernel : new Kernel[] {Kernel.RANDOM_UNIFORM, Kernel.RANDOM_NORMAL}) {
        double[] here = draw(cpu, kernel, dtype, 5000, 77, 0.1, 1.7);
        assertArrayEquals(here, draw(cuda, kernel, dtype, 5000, 77, 0.1, 1.7));
        Emulator.check();
        assertArrayEquals(here, draw(cuda, kernel, dtype, 5000, 77, 0.1, 1.7));
        Emulator.reset();
        assertFalse(Arrays.equals(here, draw(cpu, kernel, dtype, 5000, 78, 0.1, 1.7)));
      }
    }
  }

  @OnEachDevice
  void dropoutMaskFollowsSeedStepAndOperation(OnEachDevice.Place place) {
    try (Device device = place.open();
        StepState state = new StepState(device, SEED);
        Tensor ones = device.full(DType.F64, Shape.of(37, 61), 1)) {
      state.set(SEED, STEP, STEP, 0, 0);
      try (Tape tape = new Tape(device, state, Tape.Mode.TRAIN)) {
        for (int operation = 0; operation < 3; operation++) {
          assertArrayEquals(
              Philox.dropoutFactors(SEED, STEP, operation, 37 * 61, 0.3),
              tape.dropout(ones, 0.3).toDoubles(),
              1e-15);
        }
        state.advance(0);
        assertArrayEquals(
            Philox.dropoutFactors(SEED, STEP + 1, 3, 37 * 61, 0.9),
            tape.dropout(ones, 0.9).toDoubles(),
            1e-14);
      }
    }
  }

  @OnEachDevice
  void inferenceDropsNothing(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tape tape = Tape.inference(device)) {
      Tensor x = device.tensor(new double[] {1, 2, 3});
      assertArrayEquals(new double[] {1, 2, 3}, tape.dropout(x, 0.9).toDoubles());
    }
  }
}
