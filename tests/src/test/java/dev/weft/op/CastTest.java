// SPDX-License-Identifier: Apache-2.0
package dev.weft.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.support.OnEachDevice;
import org.junit.jupiter.api.Test;

/** Casts between types other than F32 and BF16, which {@link Bfloat16Test} has. */
class CastTest {

  @OnEachDevice
  void fractionsAreCutOffTowardZero(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tape tape = new Tape(device)) {
      Tensor x =
          device.tensor(DType.F64, new double[] {2.7, -2.7, -0.5, 2147483647.9, -2147483648.9});
      assertArrayEquals(
          new int[] {2, -2, 0, Integer.MAX_VALUE, Integer.MIN_VALUE},
          tape.cast(x, DType.I32).toInts());
      Tensor y = device.tensor(DType.BF16, Shape.of(2, 2), 255.9, 0.99, -0.99, 7);
      assertArrayEquals(new double[] {0, 0, 7}, tail(tape.cast(shrunk(tape, y), DType.U8)));
    }
  }

  /** 255.9 is 256 in bfloat16. */
  private static Tensor shrunk(Tape tape, Tensor y) {
    return tape.minimum(y, tape.shift(tape.scale(y, 0), 255));
  }

  private static double[] tail(Tensor y) {
    double[] values = y.toDoubles();
    assertEquals(255, values[0]);
    return java.util.Arrays.copyOfRange(values, 1, 4);
  }

  @OnEachDevice
  void whatAnIntegerTypeCannotHoldIsRefused(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      refused(device, DType.U8, 300, "300.0", "whole numbers from 0 to 255");
      refused(device, DType.U8, -1, "-1.0", "U8");
      refused(device, DType.I32, 3e10, "3.0E10", "I32");
      refused(device, DType.I32, Double.NaN, "NaN", "I32");
      refused(device, DType.I32, Double.NEGATIVE_INFINITY, "-Infinity", "I32");
      assertEquals(0, device.memory().live());
    }
  }

  private static void refused(Device device, DType dtype, double value, String... parts) {
    try (Tape tape = new Tape(device);
        Tensor x = device.tensor(DType.F64, new double[] {1, 2, value, value}).named("x")) {
      long live = device.memory().live();
      String message =
          assertThrows(IllegalArgumentException.class, () -> tape.cast(x, dtype)).getMessage();
      assertEquals(live, device.memory().live());
      assertTrue(message.startsWith("cast: element 2 of x F64 [4]"), message);
      for (String part : parts) {
        assertTrue(message.contains(part), message);
      }
    }
  }

  @OnEachDevice
  void floatingValuesAreRoundedToTheNearest(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tape tape = new Tape(device)) {
      Tensor x = device.tensor(DType.F64, new double[] {0.1, 1e300, -1e300, Double.NaN, 1e-300});
      assertArrayEquals(
          new float[] {0.1f, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.NaN, 0},
          tape.cast(x, DType.F32).toFloats());
      Tensor large = device.tensor(new int[] {16777217, -5});
      assertArrayEquals(new double[] {16777216, -5}, tape.cast(large, DType.F32).toDoubles());
      assertArrayEquals(new double[] {16777217, -5}, tape.cast(large, DType.F64).toDoubles());
      Tensor bytes = device.tensor(DType.U8, Shape.of(2), 0, 255);
      assertArrayEquals(new double[] {0, 255}, tape.cast(bytes, DType.BF16).toDoubles());
    }
  }

  @OnEachDevice
  void gradientsOfFloatingCastsAddUp(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tape tape = new Tape(device)) {
      Tensor x = device.tensor(DType.F64, new double[] {3, -1}).requiresGrad();
      for (DType dtype : new DType[] {DType.F32, DType.BF16}) {
        tape.backward(tape.sum(tape.square(tape.cast(x, dtype))));
      }
      assertArrayEquals(new double[] {12, -4}, x.grad().toDoubles());
      assertEquals(DType.F64, x.grad().dtype());
      assertFalse(tape.cast(x, DType.I32).hasGradient());
    }
  }

  @Test
  void castsThroughTheHostAreRefusedInARecording() {
    try (Device device = Device.cpu();
        Tape tape = new Tape(device)) {
      Tensor x = device.tensor(new float[] {1, 2});
      String message =
          assertThrows(
                  IllegalStateException.class,
                  () -> Engine.record(device, () -> tape.cast(x, DType.I32)).close())
              .getMessage();
      assertTrue(message.contains("a recording cannot: cast before"), message);
      Engine.record(device, () -> tape.cast(x, DType.BF16)).close();
    }
  }
}
