// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.Shape;
import dev.weft.StepState;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.device.Bfloat16;
import dev.weft.nn.Activation;
import dev.weft.nn.Linear;
import dev.weft.nn.ParameterArena;
import dev.weft.nn.Sequential;
import dev.weft.optim.Adam;
import dev.weft.optim.Optimizer;
import dev.weft.optim.Sgd;
import dev.weft.support.OnEachDevice;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** bfloat16 as a type: its conversions, casts, sums, gradients and master weights. */
public class Bfloat16Test {
  private static final int PATTERNS = 1 << 16;

  /** Of the two values around x the nearer, by distances in double; of two as near the even one. */
  private static short nearest(float x) {
    if (Float.isNaN(x)) {
      return 0x7fff;
    }
    short below = (short) (Float.floatToRawIntBits(x) >>> 16); // towards zero
    short above = (short) (below + 1);
    double size = Math.abs((double) x);
    double low = Math.abs((double) Bfloat16.value(below));
    // past the largest value stands 2^128, where infinity begins
    double high = Math.min(0x1p128, Math.abs((double) Bfloat16.value(above)));
    if (Float.isInfinite(x) || size - low < high - size) {
      return below;
    }
    boolean tie = size - low == high - size;
    return tie && below % 2 == 0 ? below : above;
  }

  /**
   * Every value, and around each middle of two neighbours the middle and a float on either side.
   */
  private static float[] samples() {
    float[] samples = new float[4 * PATTERNS];
    int[] ends = {0, 0x7fff, 0x8000, 0x8001};
    for (int i = 0; i < samples.length; i++) {
      samples[i] = Float.intBitsToFloat((i / 4 << 16) | ends[i % 4]);
    }
    return samples;
  }

  @Test
  void hostRoundsToTheNearest() {
    int cutWrong = 0;
    for (float x : samples()) {
      assertEquals(nearest(x), Bfloat16.bits(x), () -> "of " + x);
      cutWrong += nearest(x) != (short) (Float.floatToRawIntBits(x) >>> 16) ? 1 : 0;
    }
    assertTrue(cutWrong > PATTERNS, "cutting off would pass for rounding");
  }

  @OnEachDevice
  void floatsGoToTheNearest(OnEachDevice.Place place) {
    float[] samples = samples();
    short[] expected = new short[samples.length];
    for (int i = 0; i < samples.length; i++) {
      expected[i] = nearest(samples[i]);
    }
    try (Device device = place.open();
        Tape tape = new Tape(device)) {
      Tensor y = tape.cast(device.tensor(samples), DType.BF16);
      short[] actual = new short[samples.length];
      y.copyTo(MemorySegment.ofArray(actual));
      assertArrayEquals(expected, actual);
    }
  }

  @OnEachDevice
  void everyPatternIsItsValue(OnEachDevice.Place place) {
    short[] patterns = new short[PATTERNS];
    int[] expected = new int[PATTERNS];
    for (int i = 0; i < PATTERNS; i++) {
      patterns[i] = (short) i;
      expected[i] = i << 16;
    }
    try (Device device = place.open();
        Tape tape = new Tape(device)) {
      Tensor x = device.upload(DType.BF16, Shape.of(PATTERNS), MemorySegment.ofArray(patterns));
      int[] actual = new int[PATTERNS];
      tape.cast(x, DType.F32).copyTo(MemorySegment.ofArray(actual));
      assertArrayEquals(expected, actual);
      double[] read = x.toDoubles();
      for (int i = 0; i < PATTERNS; i++) {
        assertEquals(Float.intBitsToFloat(expected[i]), read[i]);
      }
    }
  }

  @OnEachDevice
  void gradientsAreCastBack(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tape tape = new Tape(device)) {
      Tensor x = device.tensor(new float[] {1.001f, -2, 3}).requiresGrad();
      Tensor narrow = tape.cast(x, DType.BF16);
      assertArrayEquals(new double[] {1, -2, 3}, narrow.toDoubles());
      tape.backward(tape.sum(tape.cast(tape.square(narrow), DType.F32)));
      // 2 x of the rounded x, which a gradient in bfloat16 holds exactly
      assertArrayEquals(new double[] {2, -4, 6}, x.grad().toDoubles());
      assertEquals(DType.F32, x.grad().dtype());
      assertTrue(tape.cast(x, DType.F32) == x);
    }
  }

  /** 1 + 2^-8 is no bfloat16, and 4,096 ones add up to 256 there: 256 + 1 rounds to 256. */
  @OnEachDevice
  void sumsAndGradientsAddUpInFloat(OnEachDevice.Place place) {
    int n = 4096;
    try (Device device = place.open()) {
      Tensor x = device.full(DType.BF16, Shape.of(n, 3), 1).requiresGrad();
      for (int pass = 0; pass < 300; pass++) {
        try (Tape tape = new Tape(device)) {
          Tensor sum = tape.sum(x, 0);
          assertEquals(DType.F32, sum.dtype());
          assertArrayEquals(new double[] {n, n, n}, sum.toDoubles());
          tape.backward(tape.sum(x));
        }
      }
      assertEquals(DType.F32, x.grad().dtype());
      double[] expected = new double[3 * n];
      Arrays.fill(expected, 300);
      assertArrayEquals(expected, x.grad().toDoubles());
    }
  }

  /** A bias that is stretched: its gradient, of an interior result and of a leaf. */
  @OnEachDevice
  void stretchedGradientsArriveInTheirType(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tape tape = new Tape(device)) {
      Tensor x = device.full(DType.BF16, Shape.of(600, 4), 0.5).requiresGrad();
      Tensor b = device.full(DType.BF16, Shape.of(4), 2).requiresGrad();
      Tensor interior = tape.scale(b, 2);
      tape.backward(tape.sum(tape.add(tape.multiply(x, interior), b)));
      // d/db = 600 (2 * 0.5 + 1)
      assertArrayEquals(new double[] {1200, 1200, 1200, 1200}, b.grad().toDoubles());
    }
  }

  @OnEachDevice
  void typesAreNotMixed(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tape tape = new Tape(device)) {
      Tensor x = device.full(DType.BF16, Shape.of(2), 1);
      Tensor y = device.full(DType.F32, Shape.of(2), 1);
      String message =
          assertThrows(IllegalArgumentException.class, () -> tape.add(x, y)).getMessage();
      assertTrue(message.contains("differ in type; cast one"), message);
    }
  }

  private static Sequential network() {
    return Sequential.of(new Linear(5, 7), Activation.GELU, new Linear(7, 3));
  }

  /** What layers see is the master rounded, from the start and after every step. */
  @OnEachDevice
  void copyFollowsTheMasters(OnEachDevice.Place place) {
    List<Optimizer> optimizers =
        List.of(Sgd.rate(0.3), Sgd.rate(0.3).momentum(0.9), Adam.rate(0.01));
    for (Optimizer optimizer : optimizers) {
      try (Device device = place.open();
          StepState state = new StepState(device, 1)) {
        Sequential network = network().seed(3).on(device, MathMode.BF16);
        ParameterArena arena = network.arena();
        assertCopied(arena);
        try (var running =
            optimizer.start(
                new Optimizer.Target(arena.values(), arena.gradients(), null, arena.copy(), 1))) {
          for (int step = 0; step < 3; step++) {
            double[] before = arena.values().toDoubles();
            train(device, network, state, step);
            running.step(state);
            assertCopied(arena);
            double[] after = arena.values().toDoubles();
            assertTrue(!Arrays.equals(before, after));
            boolean finer = false;
            for (double value : after) {
              finer |= value != Bfloat16.round((float) value);
            }
            assertTrue(finer, "the masters have no more digits than the copy");
          }
        }
      }
    }
  }

  private static void train(Device device, Sequential network, StepState state, int step) {
    state.set(1, step, step, 0, 0.3);
    network.arena().zeroGradients();
    try (Tape tape = new Tape(device)) {
      Tensor x = device.full(DType.BF16, Shape.of(4, 5), 0.5);
      Tensor y = network.forward(tape, x);
      assertEquals(DType.BF16, y.dtype());
      tape.backward(tape.softmaxCrossEntropy(y, device.tensor(new int[] {0, 1, 2, 1})));
    }
  }

  private static void assertCopied(ParameterArena arena) {
    double[] expected = arena.values().toDoubles();
    Arrays.setAll(expected, i -> Bfloat16.round((float) expected[i]));
    assertArrayEquals(expected, arena.copy().toDoubles());
  }

  /** Between files and modes no digit of a master is lost. */
  @Test
  void filesHoldTheMasters(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("network.safetensors");
    try (Device device = Device.cpu()) {
      Sequential strict = network().seed(3).on(device);
      Sequential narrow = network().seed(3).on(device, MathMode.BF16);
      double[] drawn = strict.arena().values().toDoubles();
      assertArrayEquals(drawn, narrow.arena().values().toDoubles());
      narrow.save(file);
      List<double[]> found = new ArrayList<>();
      found.add(Sequential.load(file).on(device).arena().values().toDoubles());
      found.add(Sequential.load(file).on(device, MathMode.BF16).arena().values().toDoubles());
      found.add(narrow.on(device, MathMode.STRICT).arena().values().toDoubles());
      for (double[] values : found) {
        assertArrayEquals(drawn, values);
      }
    }
  }
}
