// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.support.OnEachDevice;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class TensorTest {
  private Device device;

  @BeforeEach
  void open() {
    device = Device.cpu();
  }

  @AfterEach
  void close() {
    device.close();
  }

  /** Runs something that must fail and returns what it said. */
  static String message(Class<? extends Exception> type, Executable body) {
    return assertThrows(type, body).getMessage();
  }

  private static void assertContains(String message, String... parts) {
    for (String part : parts) {
      assertTrue(message.contains(part), () -> "'" + part + "' is not in: " + message);
    }
  }

  @OnEachDevice
  void valuesComeBack(OnEachDevice.Place place) {
    try (Device on = place.open()) {
      assertArrayEquals(new double[] {1, -2.5}, on.tensor(new double[] {1, -2.5}).toDoubles());
      assertArrayEquals(new float[] {1, -2.5f}, on.tensor(new float[] {1, -2.5f}).toFloats());
      assertArrayEquals(new int[] {7, -1}, on.tensor(new int[] {7, -1}).toInts());
      Tensor matrix = on.tensor(new double[][] {{1, 2, 3}, {4, 5, 6}});
      assertEquals(Shape.of(2, 3), matrix.shape());
      assertEquals(DType.F32, matrix.dtype());
      assertArrayEquals(new int[] {1, 2, 3, 4, 5, 6}, matrix.toInts());
      Tensor bytes = on.tensor(DType.U8, Shape.of(3), 0, 128, 255);
      assertArrayEquals(new double[] {0, 128, 255}, bytes.toDoubles());
      assertEquals(3, on.full(DType.F32, Shape.of(), 3).item());
      assertEquals(0, on.zeros(DType.F32, Shape.of(0, 4)).toDoubles().length);
    }
  }

  @OnEachDevice
  void javaDoublesMeetJavaFloatsInFloat32(OnEachDevice.Place place) {
    try (Device on = place.open();
        Tape tape = new Tape(on)) {
      Tensor a = on.tensor(new double[][] {{1, 2}});
      Tensor b = on.tensor(new float[][] {{3}, {4}});
      assertEquals(11, tape.matmul(a, b).item());
      Tensor y = tape.add(on.tensor(new double[] {0.1}), on.tensor(new float[] {0}));
      assertEquals((double) 0.1f, y.item());
    }
  }

  @OnEachDevice
  void javaDoublesHaveTheTypeThatIsAskedFor(OnEachDevice.Place place) {
    try (Device on = place.open()) {
      assertArrayEquals(new double[] {0.1}, on.tensor(DType.F64, new double[] {0.1}).toDoubles());
      Tensor matrix = on.tensor(DType.F64, new double[][] {{1, 1e300}});
      assertEquals(DType.F64, matrix.dtype());
      assertArrayEquals(new double[] {1, 1e300}, matrix.toDoubles());
    }
    assertContains(
        message(IllegalArgumentException.class, () -> device.tensor(new double[] {1, 1e300})),
        "element 1 is 1.0E300",
        "F32 cannot hold");
  }

  @Test
  void countsThatDoNotFillTheShapeAreRefused() {
    assertContains(
        message(
            IllegalArgumentException.class, () -> device.tensor(DType.F32, Shape.of(2, 3), 1, 2)),
        "2 values",
        "[2, 3]");
    assertContains(
        message(IllegalArgumentException.class, () -> device.tensor(new double[][] {{1, 2}, {3}})),
        "row 1 has 1",
        "row 0 has 2");
    Tensor x = device.tensor(new float[] {1, 2}).named("pixels");
    assertContains(
        message(
            IllegalArgumentException.class, () -> x.copyFrom(MemorySegment.ofArray(new float[3]))),
        "12 bytes",
        "pixels",
        "8");
    assertContains(
        message(
            IllegalArgumentException.class, () -> x.copyTo(MemorySegment.ofArray(new float[3]))),
        "pixels");
    assertContains(message(IllegalStateException.class, x::item), "pixels", "one element");
  }

  @Test
  void closedTensorSaysSo() {
    Tensor x = device.tensor(new float[] {1, 2}).named("weights");
    Tensor view = x.view(1, Shape.of(1)).named("second");
    x.close();
    x.close();
    assertContains(
        message(IllegalStateException.class, x::toDoubles), "weights F32 [2] on cpu", "closed");
    assertContains(message(IllegalStateException.class, view::item), "second", "closed");
    assertContains(message(IllegalStateException.class, () -> x.fill(1)), "weights");
    try (Tape tape = new Tape(device)) {
      assertContains(message(IllegalStateException.class, () -> tape.square(x)), "weights");
    }
  }

  @OnEachDevice
  void aSmallTensorShowsItsValues(OnEachDevice.Place place) {
    try (Device on = place.open()) {
      Tensor w = on.tensor(new double[] {3, 0.1}).named("w");
      assertEquals("w F32 [2] on " + on + ": [3.0, 0.1]", w.toString());
      assertEquals(
          "tensor I32 [2, 1, 2] on " + on + ": [[[1, 2]], [[3, -4]]]",
          on.tensor(DType.I32, Shape.of(2, 1, 2), 1, 2, 3, -4).toString());
      assertEquals(
          "tensor F64 [] on " + on + ": 0.1", on.tensor(DType.F64, Shape.of(), 0.1).toString());
      assertEquals(
          "tensor BF16 [1] on " + on + ": [NaN]",
          on.tensor(DType.BF16, Shape.of(1), Double.NaN).toString());
      assertEquals("[]", on.zeros(DType.F32, Shape.of(0, 4)).toString().split(": ")[1]);
      assertTrue(on.zeros(DType.U8, Shape.of(2, 8)).toString().endsWith("0, 0]]"));
      assertEquals("tensor U8 [17] on " + on, on.zeros(DType.U8, Shape.of(17)).toString());
    }
  }

  @OnEachDevice
  void aTensorThatCannotBeReadShowsNoValues(OnEachDevice.Place place) {
    Device on = place.open();
    Tensor x = on.tensor(new float[] {1, 2}).named("x");
    String bare = "x F32 [2] on " + on;
    assertEquals(bare, CompletableFuture.supplyAsync(x::toString).join());
    String[] recorded = new String[1];
    on.record(() -> recorded[0] = x.toString()).close();
    assertEquals(bare, recorded[0]);
    assertEquals(bare + ": [1.0, 2.0]", x.toString());
    Tensor closed = on.tensor(new float[] {1, 2}).named("x");
    closed.close();
    assertEquals(bare, closed.toString());
    on.close();
    assertEquals(bare, x.toString());
  }

  @Test
  void messagesHoldNoValues() {
    Tensor x = device.tensor(new float[] {7, 8}).named("x").requiresGrad();
    Tensor labels = device.tensor(new int[] {7, 8}).named("labels");
    try (Tape tape = new Tape(device)) {
      List<Executable> refused =
          List.of(
              labels::requiresGrad,
              x::item,
              () -> x.view(1, Shape.of(2)),
              () -> x.copyFrom(new double[3]),
              () -> x.fill(1e300),
              () -> tape.backward(x),
              () -> tape.backward(x, labels),
              () -> tape.assign(x, labels));
      for (Executable each : refused) {
        String message = assertThrows(RuntimeException.class, each).getMessage();
        assertTrue(message.contains(" on cpu"), message);
        assertFalse(message.contains("8.0") || message.contains(": ["), message);
      }
    }
  }

  @Test
  void viewsShareMemoryAndStayInside() {
    Tensor x = device.tensor(new double[] {0, 1, 2, 3, 4, 5});
    Tensor view = x.view(2, Shape.of(2, 2));
    assertArrayEquals(new double[] {2, 3, 4, 5}, view.toDoubles());
    view.view(1, Shape.of(1)).fill(9);
    assertArrayEquals(new double[] {0, 1, 2, 9, 4, 5}, x.toDoubles());
    view.close();
    assertEquals(6, x.elements());
    assertContains(
        message(IllegalArgumentException.class, () -> x.view(3, Shape.of(2, 2))),
        "[2, 2]",
        "element 3",
        "[6]");
    assertThrows(IllegalArgumentException.class, () -> x.view(-1, Shape.of(1)));
  }

  @Test
  void integersHaveNoGradient() {
    Tensor labels = device.tensor(new int[] {1});
    assertContains(message(IllegalArgumentException.class, labels::requiresGrad), "I32");
    assertNull(labels.grad());
  }

  @Test
  void gradientIsClosedWithItsTensor() {
    Tensor x = device.tensor(new double[] {1, 2}).requiresGrad();
    try (Tape tape = new Tape(device)) {
      tape.backward(tape.sum(x));
    }
    Tensor gradient = x.grad();
    assertArrayEquals(new double[] {1, 1}, gradient.toDoubles());
    x.close();
    assertThrows(IllegalStateException.class, gradient::toDoubles);
    assertEquals(0, device.memory().live());
  }

  @Test
  void shapesKnowTheirAxes() {
    Shape shape = Shape.of(4, 5, 6);
    assertEquals(6, shape.size(-1));
    assertEquals(120, shape.elements());
    assertEquals("[4, 5, 6]", shape.toString());
    assertEquals(Shape.of(4, 6), shape.without(1));
    assertContains(
        message(IllegalArgumentException.class, () -> shape.size(3)), "[4, 5, 6]", "axis 3");
    assertThrows(IllegalArgumentException.class, () -> Shape.of(2, -1));
    assertThrows(IllegalArgumentException.class, () -> Shape.of(1L << 40, 1L << 40));
    assertEquals(Shape.of(2, 3, 5), Shape.broadcast(Shape.of(3, 1), Shape.of(2, 1, 5)));
    assertContains(
        message(
            IllegalArgumentException.class, () -> Shape.broadcast(Shape.of(2, 3), Shape.of(4, 3))),
        "[2, 3]",
        "[4, 3]");
  }
}
