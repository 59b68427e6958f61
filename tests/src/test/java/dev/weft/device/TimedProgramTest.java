// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.RecordedProgram;
import dev.weft.Shape;
import dev.weft.Tensor;
import dev.weft.support.Emulator;
import dev.weft.support.OnEachDevice;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Emulator.class)
class TimedProgramTest {
  private static final long N = 200_000;

  /** A long fill, a short one, a product that reads the short one, and a call without work. */
  private static RecordedProgram record(Device device, Tensor x, Tensor y) {
    return Engine.record(
        device,
        () -> {
          Engine.recorder(device).label(Phase.FORWARD, "long");
          fill(device, x, N);
          Engine.recorder(device).layer("short");
          fill(device, y, 3);
          Engine.recorder(device).label(Phase.BACKWARD, "product");
          var product =
              new Arguments.Gemm(
                  Engine.address(y),
                  Engine.address(y),
                  Engine.address(x),
                  1,
                  1,
                  3,
                  3,
                  1,
                  1,
                  false,
                  false,
                  1,
                  0,
                  false,
                  false,
                  1,
                  0,
                  0,
                  0);
          Engine.run(device, Kernel.GEMM, Precision.F32, product);
          fill(device, y, 0);
        });
  }

  private static void fill(Device device, Tensor tensor, long n) {
    Engine.run(
        device, Kernel.FILL, Precision.F32, new Arguments.Fill(Engine.address(tensor), n, 2));
  }

  @OnEachDevice
  void timesAreThoseOfTheCallsInOrder(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tensor x = device.zeros(DType.F32, Shape.of(N));
        Tensor y = device.zeros(DType.F32, Shape.of(3));
        RecordedProgram program = record(device, x, y);
        TimedProgram timed = program.timed()) {
      assertEquals(3, timed.size());
      long[] shortest = new long[3];
      Arrays.fill(shortest, Long.MAX_VALUE);
      for (int run = 0; run < 20; run++) {
        long[] times = new long[4];
        long start = System.nanoTime();
        timed.run(times);
        long wall = System.nanoTime() - start;
        assertEquals(0, times[0]);
        assertArrayEquals(LongStream.of(times).sorted().toArray(), times);
        assertTrue(times[3] <= wall, times[3] + " of " + wall);
        for (int i = 0; i < 3; i++) {
          shortest[i] = Math.min(shortest[i], times[i + 1] - times[i]);
        }
      }
      assertTrue(shortest[0] > shortest[1], shortest[0] + " > " + shortest[1]);
      assertEquals(2 * 2 * 3, x.view(0, Shape.of(1)).toDoubles()[0]);
      assertEquals(2, x.toDoubles()[(int) N - 1]);
    }
  }

  @OnEachDevice
  void callsHaveTheLabelInForce(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tensor x = device.zeros(DType.F32, Shape.of(N));
        Tensor y = device.zeros(DType.F32, Shape.of(3));
        RecordedProgram program = record(device, x, y)) {
      List<Call> calls = program.calls();
      // a call without work is none
      assertEquals(program.size(), calls.size());
      assertEquals(
          List.of("fill_f32 FORWARD long", "fill_f32 FORWARD short", "gemm_f32 BACKWARD product"),
          calls.stream().map(c -> c.symbol() + " " + c.phase() + " " + c.layer()).toList());
      assertEquals(4 * N, calls.getFirst().cost().bytes());
      try (RecordedProgram next = Engine.record(device, () -> fill(device, y, 3))) {
        assertEquals(Phase.OTHER, next.calls().getFirst().phase());
        assertEquals("", next.calls().getFirst().layer());
      }
    }
  }

  @OnEachDevice
  void nothingTakesNoTime(OnEachDevice.Place place) {
    try (Device device = place.open();
        RecordedProgram program = Engine.record(device, () -> {});
        TimedProgram timed = program.timed()) {
      long[] times = {7};
      timed.run(times);
      assertEquals(0, times[0]);
    }
  }

  @OnEachDevice
  void aClosedProgramCannotBeTimed(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      RecordedProgram program = Engine.record(device, () -> {});
      program.close();
      assertThrows(IllegalStateException.class, program::timed);
    }
  }

  @OnEachDevice
  void aTimedProgramEndsWithItsProgram(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      RecordedProgram program = Engine.record(device, () -> {});
      try (TimedProgram timed = program.timed()) {
        timed.run(new long[1]);
      }
      TimedProgram closed = program.timed();
      closed.close();
      assertThrows(IllegalStateException.class, () -> closed.run(new long[1]));
      TimedProgram open = program.timed();
      program.close();
      assertThrows(IllegalStateException.class, () -> open.run(new long[1]));
      open.close();
    }
  }

  @OnEachDevice
  void aTimedProgramBelongsToTheDevicesThread(OnEachDevice.Place place) throws Exception {
    try (Device device = place.open();
        RecordedProgram program = Engine.record(device, () -> {});
        TimedProgram timed = program.timed()) {
      AtomicReference<Throwable> failure = new AtomicReference<>();
      Thread other =
          new Thread(
              () ->
                  failure.set(
                      assertThrows(IllegalStateException.class, () -> timed.run(new long[1]))));
      other.start();
      other.join();
      assertTrue(failure.get().getMessage().contains("belongs to thread"));
      timed.run(new long[1]);
    }
  }

  @Test
  void eventsAndGraphsAreGivenBack() {
    try (Device device = Device.cuda()) {
      try (Tensor x = device.zeros(DType.F32, Shape.of(N));
          Tensor y = device.zeros(DType.F32, Shape.of(3));
          RecordedProgram program = record(device, x, y)) {
        program.timed().close();
        assertEquals(0, Emulator.liveEvents());
        assertEquals(1, Emulator.liveGraphs());
        program.timed(); // the device closes what nobody closed
        assertEquals(4, Emulator.liveEvents());
      }
    }
    assertEquals(0, Emulator.liveEvents());
    assertEquals(0, Emulator.liveGraphs());
    assertEquals(0, Emulator.leakedObjects());
  }
}
