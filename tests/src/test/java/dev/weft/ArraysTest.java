// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.weft.check.GradCheck;
import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.nn.Activation;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Arrays of Java at every door: rows that differ, values that a type does not hold. */
class ArraysTest {
  private Device device;

  @BeforeEach
  void open() {
    device = Device.cpu();
  }

  @AfterEach
  void close() {
    assertEquals(0, device.memory().live());
    device.close();
  }

  private static void refused(String expected, Executable body) {
    assertEquals(expected, assertThrows(IllegalArgumentException.class, body).getMessage());
  }

  private static final double[][] RAGGED = {{1, 2, 3}, {4, 5}, {6, 7, 8, 9}};
  private static final double[][] HOLED = {{1, 2, 3}, null};
  private static final float[][] RAGGED_FLOATS = {{1}, {}};
  private static final float[][] HOLED_FLOATS = {null};

  @Test
  void rowsOfDifferentLengthsAreRefusedAtEveryDoor() {
    try (Sequential network = Sequential.of(new Linear(3, 1)).on(device, MathMode.DOUBLE)) {
      String ragged = "row 1 has 2 values and row 0 has 3";
      refused(ragged, () -> network.scores(RAGGED));
      refused(ragged, () -> device.tensor(RAGGED));
      refused(ragged, () -> Column.of(RAGGED));
      refused("features: " + ragged, () -> Dataset.of(RAGGED, new int[] {0, 1, 0}));
      refused("targets: " + ragged, () -> Dataset.of(new double[][] {{1}, {2}, {3}}, RAGGED));
      refused("row 1 has 0 values and row 0 has 1", () -> device.tensor(RAGGED_FLOATS));
      refused("row 1 has 0 values and row 0 has 1", () -> Column.of(RAGGED_FLOATS));
    }
  }

  @Test
  void rowsThatAreNullAreRefusedAtEveryDoor() {
    try (Sequential network = Sequential.of(new Linear(3, 1)).on(device, MathMode.DOUBLE)) {
      refused("row 1 is null", () -> network.scores(HOLED));
      refused("row 1 is null", () -> device.tensor(HOLED));
      refused("row 1 is null", () -> Column.of(HOLED));
      refused("row 0 is null", () -> device.tensor(HOLED_FLOATS));
      refused("row 0 is null", () -> Column.of(HOLED_FLOATS));
      refused("vector 1 is null", () -> GradCheck.of((t, in) -> in[0]).at(HOLED));
    }
  }

  @Test
  void rowsOfAnotherWidthThanTheNetworkTakesAreRefused() {
    try (Sequential network = Sequential.of(Activation.RELU, new Linear(3, 1)).on(device)) {
      refused(
          "row 0 has 4 values: Linear(3, 1) got 4 features",
          () -> network.scores(new double[][] {{1, 2, 3, 4}}));
      refused(
          "row 0 has 0 values: Linear(3, 1) got 0 features",
          () -> network.scores(new double[][] {{}}));
      assertEquals(0, network.scores(new double[0][]).length);
      assertEquals(2, network.scores(new double[][] {{1, 2, 3}, {4, 5, 6}}).length);
    }
  }

  private void tensorRefused(DType dtype, double value, String holds) {
    refused(
        "element 1 is " + value + ", which " + dtype + " cannot hold: it holds " + holds,
        () -> device.tensor(dtype, Shape.of(2), 1, value));
    refused(
        "what fills tensor "
            + dtype
            + " [2] on cpu is "
            + value
            + ", which "
            + dtype
            + " cannot hold: it holds "
            + holds,
        () -> device.full(dtype, Shape.of(2), value));
  }

  @Test
  void valuesThatATypeDoesNotHoldAreRefused() {
    String bytes = "whole numbers from 0 to 255";
    tensorRefused(DType.U8, 300, bytes);
    tensorRefused(DType.U8, -1, bytes);
    tensorRefused(DType.U8, 2.7, bytes);
    tensorRefused(DType.U8, Double.NaN, bytes);
    String ints = "whole numbers from -2147483648 to 2147483647";
    tensorRefused(DType.I32, 3e10, ints);
    tensorRefused(DType.I32, 0.5, ints);
    tensorRefused(DType.I32, Double.NaN, ints);
    String floats = "numbers up to about 3.4e38";
    tensorRefused(DType.F32, 1e300, floats);
    tensorRefused(DType.BF16, -1e300, floats);
    tensorRefused(DType.BF16, Float.MAX_VALUE, floats);
  }

  @Test
  void valuesAtTheEdgeOfATypeAreHeld() {
    holds(DType.U8, 0, 255);
    holds(DType.I32, Integer.MIN_VALUE, Integer.MAX_VALUE);
    holds(DType.F32, Float.MAX_VALUE, Double.NEGATIVE_INFINITY);
    holds(DType.F32, Double.NaN, Float.MIN_VALUE);
    holds(DType.BF16, Double.POSITIVE_INFINITY, Double.NaN);
    holds(DType.F64, Double.MAX_VALUE, Double.NaN);
  }

  private void holds(DType dtype, double... values) {
    try (Tensor x = device.tensor(dtype, Shape.of(2), values)) {
      assertArrayEquals(values, x.toDoubles());
      x.fill(values[1]);
      assertArrayEquals(new double[] {values[1], values[1]}, x.toDoubles());
    }
  }

  @Test
  void elementsThatAreNoIntsOrFloatsAreRefused() {
    try (Tensor x = device.tensor(DType.F64, new double[] {1, 2.5, 3e10});
        Tensor large = device.tensor(DType.F64, new double[] {1e300})) {
      refused(
          "element 1 of x F64 [3] on cpu is 2.5, which I32 cannot hold: it holds whole numbers from"
              + " -2147483648 to 2147483647",
          () -> x.named("x").toInts());
      refused(
          "element 0 of tensor F64 [1] on cpu is 1.0E300, which F32 cannot hold: it holds numbers"
              + " up to about 3.4e38",
          large::toFloats);
    }
  }
}
