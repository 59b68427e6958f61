// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.RowType;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.support.Emulator;
import dev.weft.support.OnEachDevice;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.function.Executable;

@ExtendWith(Emulator.class)
class ColumnTest {
  private static final Column TOKENS = Column.ids(new int[] {5, 3, 8, 1, 9, 2}, 10);

  @Test
  void aColumnSaysWhatARowIs() {
    assertEquals(RowType.ids(Shape.of(), 10), TOKENS.type());
    assertEquals(RowType.ids(Shape.of(2), 7), Column.ids(new int[][] {{1, 6}}, 7).type());
    assertEquals(RowType.floating(Shape.of(3)), Column.of(new double[2][3]).type());
    assertEquals(RowType.floating(Shape.of()), Column.of(new float[2]).type());
    assertEquals(Shape.of(1), Dataset.of(new float[2][3], new float[2]).targets().shape());
    assertEquals(6, TOKENS.rows());
    assertEquals(1, TOKENS.width());
  }

  @Test
  void windowsShareTheMemoryOfTheirText() {
    Column windows = TOKENS.window(3);
    assertEquals(4, windows.rows());
    assertEquals(RowType.ids(Shape.of(3), 10), windows.type());
    assertArrayEquals(new int[] {5, 3, 8, 3, 8, 1, 8, 1, 9, 1, 9, 2}, windows.toInts());
    assertEquals(TOKENS.data().address(), windows.data().address());
    Column slice = windows.slice(1, 3);
    assertArrayEquals(new int[] {3, 8, 1, 8, 1, 9}, slice.toInts());
    assertEquals(TOKENS.data().address() + 4, slice.data().address());
    assertEquals(4 * 4, slice.data().byteSize(), "four ids are two windows");
    assertEquals(9, slice.get(1, 2));
    assertSame(slice, slice.as(Storage.INT32));
    Column chosen = windows.select(new int[] {3, 0, 3});
    assertArrayEquals(new int[] {1, 9, 2, 5, 3, 8, 1, 9, 2}, chosen.toInts());
    assertEquals(3, chosen.stride());
    assertArrayEquals(TOKENS.toInts(), TOKENS.window(1).toInts());
    assertEquals(1, TOKENS.window(6).rows());
  }

  @Test
  void windowsOfAnythingButOneIdARowAreAnError() {
    assertFails("a window of 7 ids cannot be cut from 6", () -> TOKENS.window(7));
    assertFails("a window of 0 ids", () -> TOKENS.window(0));
    assertFails("not from ids [2] below 10", () -> TOKENS.window(2).window(2));
    assertFails("not from numbers []", () -> Column.of(new float[3]).window(2));
  }

  @Test
  void idsAreNoNumbers() {
    assertFails("ids cannot be turned into FLOAT32", () -> TOKENS.as(Storage.FLOAT32));
    assertFails("cannot be turned into INT32", () -> Column.of(new float[1]).as(Storage.INT32));
    assertFails("ids are no numbers that could be scaled", () -> TOKENS.scaled(2, 0));
    assertFails("row 1, column 0 is 7, outside 0..6", () -> Column.ids(new int[][] {{0}, {7}}, 7));
    assertFails("row 1 has 1 ids", () -> Column.ids(new int[][] {{0, 1}, {7}}, 7));
    assertFails("at least 1 class", () -> Column.ids(new int[1], 0));
    assertFails("row 1 is NaN", () -> Column.of(new float[] {1, Float.NaN}));
    assertEquals(
        "these are numbers, not ids",
        assertThrows(IllegalStateException.class, Column.of(new float[1])::toInts).getMessage());
  }

  @Test
  void rowsOfDifferentLengthsArePadded() {
    int[][] bags = {{4, 0}, {}, {9, 9, 1}};
    Column column = Column.padded(bags, 10);
    assertEquals(RowType.paddedIds(Shape.of(3), 10), column.type());
    assertArrayEquals(new int[] {4, 0, -1, -1, -1, -1, 9, 9, 1}, column.toInts());
    assertEquals("Column(3 rows of padded ids [3] below 10, INT32)", column.toString());
    assertArrayEquals(new int[] {-1, -1, -1, 4, 0, -1}, column.select(new int[] {1, 0}).toInts());
    assertArrayEquals(new int[] {-1, -1}, Column.padded(new int[2][0], 9).toInts());
    assertFails("row 2, column 0 is 9, outside 0..8", () -> Column.padded(bags, 9));
    assertFails(
        "row 1 has 1 ids and row 0 has 2: Column.padded takes rows that differ in length",
        () -> Column.ids(new int[][] {{1, 2}, {3}}, 9));
    assertFails("row 1 is null", () -> Column.ids(new int[][] {{1}, null}, 9));
    assertFails("row 1 is null", () -> Column.padded(new int[][] {{1}, null}, 9));
    assertFails("no rows", () -> Column.padded(new int[0][], 9));
    Dataset some = Dataset.of(Map.of("bag", column));
    Dataset longer = Dataset.of(Map.of("bag", Column.padded(new int[][] {{1, 2, 3, 4}}, 10)));
    assertSame(longer, new Split(some, longer).test());
    assertFails(
        "holds padded ids [4] below 10 to train on, ids [3] below 10 to test on",
        () -> new Split(longer, Dataset.of(Map.of("bag", Column.ids(new int[1][3], 10)))));
    assertFails("row 1 has 0 ids and row 0 has 2", () -> Column.ids(bags, 10));
  }

  @Test
  void bytesMayHaveFiveAxes() {
    byte[] bytes = new byte[2 * 120];
    bytes[239] = (byte) 239;
    Column volumes = Column.ofBytes(bytes, 1, 2, 3, 4, 5);
    assertEquals(Shape.of(1, 2, 3, 4, 5), volumes.shape());
    assertEquals(2, volumes.rows());
    assertEquals(239 / 255.0, volumes.get(1, 119), 1e-12);
    assertEquals(Shape.of(6, 20), volumes.shaped(6, 20).shape());
    assertFails("up to 5 sizes", () -> volumes.shaped(1, 1, 2, 3, 4, 5));
  }

  @Test
  void columnsAreFoundByTheirNames() {
    Map<String, Column> columns = new LinkedHashMap<>();
    columns.put("words", TOKENS.window(2).slice(0, 4));
    columns.put("next", TOKENS.slice(2, 6));
    Dataset data = Dataset.of(columns);
    columns.clear();
    assertEquals(List.of("words", "next"), List.copyOf(data.columns().keySet()));
    assertEquals(4, data.rows());
    assertArrayEquals(new int[] {8, 1, 9, 2}, data.column("next").toInts());
    assertFails("no column 'image': there is words, next", () -> data.column("image"));
    assertFails("no column 'features'", data::features);
    Dataset part = data.slice(1, 3);
    assertArrayEquals(new int[] {3, 8, 8, 1}, part.column("words").toInts());
    assertArrayEquals(new int[] {1, 9}, part.column("next").toInts());
    Split split = data.split(0.5, 3);
    for (int row = 0; row < 2; row++) {
      int place = List.of(5, 3, 8, 1).indexOf((int) split.test().column("words").get(row, 0));
      assertEquals(TOKENS.get(place + 2, 0), split.test().column("next").get(row, 0));
    }
  }

  @Test
  void columnsThatDoNotFitAreAnError() {
    Column four = TOKENS.slice(0, 4);
    assertFails("at least one column", () -> Dataset.of(Map.of()));
    assertFails("column 'targets' is null", () -> Dataset.of(four, null));
    assertFails("column 'features' is null", () -> Dataset.of(null, four));
    assertFails("'features' has 4 rows, 'targets' 6", () -> Dataset.of(four, TOKENS));
    Dataset one = Dataset.of(Map.of("a", four));
    assertFails(
        "columns [a] to train on, [b] to test on",
        () -> new Split(one, Dataset.of(Map.of("b", four))));
  }

  @OnEachDevice
  void batchesOfAnEpochHaveEachRowOnce(OnEachDevice.Place place) {
    int n = 25;
    double[][] x = new double[n][2];
    int[] labels = new int[n];
    for (int i = 0; i < n; i++) {
      x[i][0] = i;
      labels[i] = i % 7;
    }
    Dataset data =
        Dataset.of(
            Map.of(
                "x",
                Column.of(x),
                "label",
                Column.ids(labels),
                "image",
                Column.ofBytes(new byte[n])));
    try (Device device = place.open()) {
      long before = device.memory().live();
      int[] seen = new int[n];
      int batches = 0;
      for (Batch batch : data.batches(device, 10, 1, 3)) {
        try (batch) {
          Tensor rows = batch.inputs().get("x");
          Tensor ids = batch.inputs().get("label");
          assertEquals(Shape.of(batches < 2 ? 10 : 5, 2), rows.shape());
          assertEquals(DType.F32, rows.dtype());
          assertEquals(DType.I32, ids.dtype());
          assertEquals(DType.F32, batch.inputs().get("image").dtype());
          double[] values = rows.toDoubles();
          for (int r = 0; r < ids.elements(); r++) {
            int i = (int) values[2 * r];
            seen[i]++;
            assertEquals(i % 7, ids.toInts()[r], "a label moves with its row");
          }
          batches++;
        }
        assertEquals(before, device.memory().live());
      }
      assertEquals(3, batches);
      assertTrue(IntStream.of(seen).allMatch(count -> count == 1), Arrays.toString(seen));
      double first = firstOf(data, device, 1);
      assertEquals(first, firstOf(data, device, 1));
      assertTrue(IntStream.range(2, 9).anyMatch(epoch -> firstOf(data, device, epoch) != first));
      assertFails("at least 1", () -> data.batches(device, 0, 0, 1));
      assertFails("F32 or F64, not BF16", () -> data.batches(device, DType.BF16, 10, 0, 1));
      try (Batch batch = data.batches(device, DType.F64, 10, 1, 3).iterator().next()) {
        assertEquals(DType.F64, batch.inputs().get("x").dtype());
        assertEquals(DType.F64, batch.inputs().get("image").dtype());
        assertEquals(DType.I32, batch.inputs().get("label").dtype());
      }
    }
  }

  private static double firstOf(Dataset data, Device device, long epoch) {
    try (Batch batch = data.batches(device, 10, epoch, 3).iterator().next()) {
      return batch.inputs().get("x").toDoubles()[0];
    }
  }

  private static void assertFails(String message, Executable action) {
    String actual = assertThrows(IllegalArgumentException.class, action).getMessage();
    assertTrue(actual.contains(message), () -> "expected '" + message + "' in '" + actual + "'");
  }
}
