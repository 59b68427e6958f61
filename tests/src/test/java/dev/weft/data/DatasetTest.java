// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Shape;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class DatasetTest {
  private static final float[][] FEATURES = {{1, 2}, {3, 4}, {5, 6}};

  @Test
  void arraysAreCopiedRowMajorOffTheHeap() {
    float[][] features = {{1, 2, 3}, {4, 5, 6}};
    Dataset data = Dataset.of(features, new int[] {1, 0});
    features[0][0] = 99;
    assertArrayEquals(
        new float[] {1, 2, 3, 4, 5, 6}, data.features().data().toArray(ValueLayout.JAVA_FLOAT));
    assertArrayEquals(new int[] {1, 0}, data.targets().data().toArray(ValueLayout.JAVA_INT));
    assertTrue(data.features().data().isNative() && data.targets().data().isNative());
    assertEquals(0, data.features().data().address() % 64);
    assertEquals(2, data.rows());
    assertEquals(3, data.features().width());
    assertEquals(2, data.classes());
    assertEquals(Storage.FLOAT32, data.features().storage());
  }

  @Test
  void memoryCannotBeWritten() {
    Dataset data = Dataset.of(FEATURES, new int[3]);
    assertThrows(
        IllegalArgumentException.class,
        () -> data.features().data().set(ValueLayout.JAVA_FLOAT, 0, 1));
    assertThrows(
        IllegalArgumentException.class,
        () -> data.targets().data().set(ValueLayout.JAVA_INT, 0, 1));
  }

  @Test
  void doublesStayDoubles() {
    double value = 1 + 1e-15;
    Dataset data = Dataset.of(new double[][] {{value}}, new double[][] {{-value, 2}});
    assertEquals(value, data.features().get(0, 0));
    assertEquals(2, data.targets().width());
    assertEquals(-value, data.targets().get(0, 0));
  }

  @Test
  void regressionHasNoClasses() {
    Dataset data = Dataset.of(FEATURES, new float[3][1]);
    assertTrue(
        assertThrows(IllegalStateException.class, data::classes).getMessage().contains("numbers"));
  }

  @Test
  void bytesAreReadAsScaleTimesStoredPlusShift() {
    Column images = Column.ofBytes(new byte[] {0, 127, -128, -1}, 2, 2);
    assertEquals(0, images.get(0, 0));
    assertEquals(127 / 255.0, images.get(0, 1), 1e-15);
    assertEquals(128 / 255.0, images.get(0, 2), 1e-15);
    assertEquals(1, images.get(0, 3));
    assertEquals(Shape.of(2, 2), images.shape());
    double mean = 0.1307;
    double deviation = 0.3081;
    Column standardised = images.scaled(1 / (255 * deviation), -mean / deviation);
    assertEquals((1 - mean) / deviation, standardised.get(0, 3), 1e-12);
    assertEquals((0 - mean) / deviation, standardised.get(0, 0), 1e-12);
    assertEquals(1, images.get(0, 3), "the first reading stays");
  }

  @Test
  void conversionAppliesTheReading() {
    Column images = Column.ofBytes(new byte[] {0, 51, -1, 1}, 2);
    Column floats = images.as(Storage.FLOAT32);
    assertEquals((float) (51 * (1 / 255.0)), floats.get(0, 1));
    assertEquals(1, floats.scale());
    Column doubles = images.as(Storage.FLOAT64);
    assertEquals(51 * (1 / 255.0), doubles.get(0, 1));
    assertEquals(doubles, doubles.as(Storage.FLOAT64));
    assertFails("UINT8", () -> doubles.as(Storage.UINT8));
    assertFails(
        "row 0, column 1 is 1.0E300, too large for float32: scale the data",
        () -> Column.of(new double[][] {{1, 1e300}}).as(Storage.FLOAT32));
  }

  @Test
  void slicesShareMemoryAndKeepClasses() {
    Dataset data = Dataset.of(FEATURES, new int[] {2, 0, 1});
    Dataset slice = data.slice(1, 3);
    assertEquals(2, slice.rows());
    assertEquals(3, slice.features().get(0, 0));
    assertEquals(1, slice.targets().get(1, 0));
    assertEquals(3, slice.classes());
    assertEquals(data.features().data().address() + 2 * 4, slice.features().data().address());
    assertFails("rows 1 to 4 (exclusive) are not in 0..2", () -> data.slice(1, 4));
    assertFails("rows 2 to 2", () -> data.slice(2, 2));
  }

  @Test
  void splitPutsEachExampleInExactlyOnePart() {
    int n = 101;
    double[][] x = new double[n][1];
    int[] labels = new int[n];
    for (int i = 0; i < n; i++) {
      x[i][0] = i;
      labels[i] = i % 7;
    }
    Split split = Dataset.of(x, labels).split(0.8, 5);
    assertEquals(81, split.train().rows());
    assertEquals(20, split.test().rows());
    boolean[] seen = new boolean[n];
    for (Dataset part : new Dataset[] {split.train(), split.test()}) {
      assertEquals(7, part.classes());
      for (int row = 0; row < part.rows(); row++) {
        int i = (int) part.features().get(row, 0);
        assertFalse(seen[i], "example " + i + " twice");
        seen[i] = true;
        assertEquals(i % 7, part.targets().get(row, 0), "a label moves with its row");
      }
    }
    assertEquals(n, IntStream.range(0, n).filter(i -> seen[i]).count());
  }

  @Test
  void splitDependsOnTheSeedAlone() {
    Dataset data = ToySets.moons(100, 0.1, 1);
    assertArrayEquals(firsts(data.split(0.5, 3)), firsts(data.split(0.5, 3)));
    assertFalse(Arrays.equals(firsts(data.split(0.5, 3)), firsts(data.split(0.5, 4))));
  }

  @Test
  void splitThatLeavesAPartEmptyIsAnError() {
    Dataset data = Dataset.of(FEATURES, new int[3]);
    for (double fraction : new double[] {0, 1, -1, 0.01, 0.99, Double.NaN}) {
      assertFails("leaves a part empty", () -> data.split(fraction, 1));
    }
  }

  @Test
  void labelOutsideTheClassesIsNamedWithItsRow() {
    assertFails("row 1 is 3, outside 0..2", () -> Column.ids(new int[] {0, 3}, 3));
    assertFails(
        "row 2 is -1, outside 0..1, which are the ids or class labels that there are",
        () -> Column.ids(new int[] {0, 1, -1}));
    assertFails("targets: row 2 is -1, outside", () -> Dataset.of(FEATURES, new int[] {0, 1, -1}));
    assertEquals(4, Column.ids(new int[] {0, 3}, 4).type().below());
  }

  @Test
  void numbersThatAreNotFiniteAreNamedWithTheirPlace() {
    assertFails(
        "features: row 1, column 0 is NaN",
        () -> Dataset.of(new float[][] {{1, 2}, {Float.NaN, 1}}, new int[2]));
    assertFails(
        "row 0, column 1 is -Infinity",
        () -> Dataset.of(new double[][] {{1, Double.NEGATIVE_INFINITY}}, new int[1]));
    assertFails(
        "targets: row 0, column 0 is Infinity",
        () -> Dataset.of(new double[][] {{1}}, new double[][] {{Double.POSITIVE_INFINITY}}));
    Dataset.of(new float[][] {{Float.MAX_VALUE, -0f}}, new int[1]);
    Column wide = Column.of(new double[][] {{1, 1e300}}).scaled(1e10, 0);
    assertFails("row 0, column 1 is Infinity", () -> wide.as(Storage.FLOAT64));
    Column bytes = Column.ofBytes(new byte[] {1}, 1);
    assertFails("1.0E38 * byte + 0.0 is too large for float32", () -> bytes.scaled(1e38, 0));
    bytes.scaled(1e36, 1e36);
  }

  @Test
  void rowsThatDoNotFitAreAnError() {
    assertFails(
        "column 'features' has 3 rows, 'targets' 2", () -> Dataset.of(FEATURES, new int[2]));
    assertFails(
        "column 'features' has 3 rows, 'targets' 1", () -> Dataset.of(FEATURES, new float[1][1]));
    assertFails("row 1 has 1 values and row 0 has 2", () -> Column.of(new float[][] {{1, 2}, {3}}));
    assertFails("no rows", () -> Column.of(new double[0][]));
    assertFails("row 0 has no columns", () -> Column.of(new double[3][0]));
    assertFails("no rows", () -> Column.ids(new int[0]));
    assertFails("no rows", () -> Column.ofBytes(new byte[0], 4));
    assertFails("7 bytes are not a whole number", () -> Column.ofBytes(new byte[7], 2, 2));
    assertFails("cannot have shape [2, 0]", () -> Column.ofBytes(new byte[7], 2, 0));
    assertFails("cannot have shape", () -> Column.ofBytes(new byte[7], 1 << 30, 1 << 30, 1 << 4));
    assertFails("rows of 2 numbers cannot have shape [3]", () -> Column.of(FEATURES).shaped(3));
    assertFails("not a reading", () -> Column.of(FEATURES).scaled(0, 1));
    assertFails("not a reading", () -> Column.of(FEATURES).scaled(Double.NaN, 1));
  }

  @Test
  void aSplitOfUnlikePartsIsAnError() {
    Dataset two = Dataset.of(FEATURES, new int[3]);
    assertFails(
        "'features' holds numbers [2] to train on, numbers [1] to test on",
        () -> new Split(two, Dataset.of(new float[3][1], new int[3])));
    assertFails(
        "'targets' holds ids [] below 1 to train on, numbers [1] to test",
        () -> new Split(two, Dataset.of(FEATURES, new float[3][1])));
    Column labels = Column.ids(new int[3], 4);
    Dataset wide = Dataset.of(Column.ofBytes(new byte[48], 2, 8), labels);
    Dataset high = Dataset.of(Column.ofBytes(new byte[48], 8, 2), labels);
    assertFails(
        "'features' holds numbers [2, 8] to train on, numbers [8, 2] to test on",
        () -> new Split(wide, high));
    Dataset more = Dataset.of(FEATURES, new int[] {0, 1, 2});
    assertFails(
        "ids [] below 1 to train on, ids [] below 3 to test on: give both parts the same",
        () -> new Split(two, more));
    assertEquals(1, new Split(more, two).test().classes(), "some classes may not be tested");
    Dataset one = Dataset.of(FEATURES, new float[3][1]);
    Dataset pair = Dataset.of(FEATURES, new float[3][2]);
    assertFails(
        "'targets' holds numbers [1] to train on, numbers [2] to test on",
        () -> new Split(one, pair));
  }

  private static double[] firsts(Split split) {
    return IntStream.range(0, split.train().rows())
        .mapToDouble(row -> split.train().features().get(row, 0))
        .toArray();
  }

  private static void assertFails(String message, Executable action) {
    String actual = assertThrows(IllegalArgumentException.class, action).getMessage();
    assertTrue(actual.contains(message), () -> "expected '" + message + "' in '" + actual + "'");
  }
}
