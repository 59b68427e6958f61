// SPDX-License-Identifier: Apache-2.0
package dev.weft;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.device.OutOfDeviceMemoryException;
import dev.weft.device.Program;
import dev.weft.support.Emulator;
import dev.weft.support.OnEachDevice;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Emulator.class)
class DeviceTest {

  private static Throwable inAnotherThread(Runnable body) {
    Throwable[] failure = new Throwable[1];
    Thread thread =
        Thread.ofPlatform()
            .name("elsewhere")
            .uncaughtExceptionHandler((t, e) -> failure[0] = e)
            .start(body);
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    return failure[0];
  }

  @Test
  void namesOpenDevices() {
    try (Device cpu = Device.named("CPU");
        Device cuda = Device.named("cuda:0");
        Device best = Device.named("best")) {
      assertEquals("cpu", cpu.name());
      assertEquals("cuda:0", cuda.name());
      assertEquals("cuda:0", best.name());
      assertEquals(DeviceKind.CPU, cpu.kind());
      assertEquals(DeviceKind.CUDA, cuda.kind());
      assertEquals(DeviceKind.CUDA, best.kind());
      for (Device device : List.of(cpu, cuda)) {
        assertEquals(device.kind(), DeviceKind.of(device.name()));
      }
      assertTrue(cpu.description().contains("thread"), cpu.description());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "gpu", "cuda:", "cuda:-1", "cuda:x", "cpu:0", "cuda:99999"})
  void otherNamesAreRefused(String name) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Device.named(name));
    assertTrue(e.getMessage().contains("'" + name + "'"), e.getMessage());
    assertTrue(e.getMessage().contains("cpu, cuda"), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "CPU", "cuda", "cuda:", "cuda:x", "best"})
  void whatNoDeviceIsCalledHasNoKind(String name) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> DeviceKind.of(name));
    assertTrue(e.getMessage().contains("'" + name + "'"), e.getMessage());
  }

  @OnEachDevice
  void closedDeviceSaysSoAndClosesTwice(OnEachDevice.Place place) {
    Device device = place.open();
    Tensor x = device.tensor(new double[] {1}).named("x");
    Tape tape = new Tape(device);
    device.close();
    device.close();
    for (Runnable use :
        new Runnable[] {
          () -> device.tensor(new double[] {1}),
          x::item,
          () -> tape.square(x),
          device::synchronize,
          device::trim
        }) {
      IllegalStateException e = assertThrows(IllegalStateException.class, use::run);
      assertTrue(e.getMessage().contains(device.name() + " is closed"), e.getMessage());
    }
    x.close();
    tape.close();
  }

  @OnEachDevice
  void anotherThreadIsToldWhoseItIs(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      Tensor x = device.tensor(new double[] {1, 2});
      Throwable e = inAnotherThread(x::toDoubles);
      assertEquals(IllegalStateException.class, e.getClass());
      assertTrue(e.getMessage().contains(Thread.currentThread().getName()), e.getMessage());
      assertTrue(e.getMessage().contains("'elsewhere'"), e.getMessage());
      assertTrue(e.getMessage().contains("claim()"), e.getMessage());
      assertEquals(IllegalStateException.class, inAnotherThread(x::close).getClass());
      assertEquals(IllegalStateException.class, inAnotherThread(device::close).getClass());
    }
  }

  @OnEachDevice
  void claimHandsTheDeviceOver(OnEachDevice.Place place) {
    Device device = place.open();
    Tensor x = device.tensor(new double[] {1, 2});
    double[][] seen = new double[1][];
    assertNull(
        inAnotherThread(
            () -> {
              device.claim();
              try (Tape tape = new Tape(device)) {
                seen[0] = tape.square(x).toDoubles();
              }
            }));
    assertArrayEquals(new double[] {1, 4}, seen[0]);
    assertThrows(IllegalStateException.class, x::toDoubles);
    device.claim();
    assertArrayEquals(new double[] {1, 2}, x.toDoubles());
    device.close();
  }

  @Test
  void devicesWorkSideBySide() {
    Device two = Device.cpu();
    try (Device one = Device.cpu();
        Device cuda = Device.cuda()) {
      Device[] devices = {one, two, cuda};
      for (Device device : devices) {
        Tensor w = device.tensor(new double[] {3, 1}).requiresGrad();
        try (Tape tape = new Tape(device)) {
          tape.backward(tape.sum(tape.square(w)));
        }
        assertArrayEquals(new double[] {6, 2}, w.grad().toDoubles());
      }
      Tensor here = one.tensor(new double[] {1}).named("here");
      Tensor there = cuda.tensor(new double[] {1}).named("there");
      try (Tape tape = new Tape(one)) {
        IllegalArgumentException e =
            assertThrows(IllegalArgumentException.class, () -> tape.add(here, there));
        assertTrue(e.getMessage().contains("there F32 [1] on cuda:0"), e.getMessage());
        assertTrue(e.getMessage().contains("cpu"), e.getMessage());
      }
      two.close();
      assertEquals(1, here.item());
    }
    assertEquals(0, Emulator.liveBytes());
  }

  @OnEachDevice
  void memoryIsCountedAndCached(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      assertEquals(0, device.memory().live());
      Tensor x = device.allocate(DType.F32, Shape.of(1000));
      long address = x.address();
      assertEquals(4096, device.memory().live());
      x.close();
      x.close();
      assertEquals(0, device.memory().live());
      assertEquals(4096, device.memory().peak());
      assertEquals(4096, device.memory().cached());
      // the same piece again
      assertEquals(address, device.allocate(DType.F32, Shape.of(1000)).address());
      assertEquals(0, device.memory().cached());
      device.allocate(DType.F32, Shape.of(1000)).close();
      device.trim();
      assertEquals(0, device.memory().cached());
      assertEquals(4096, device.memory().live());
    }
  }

  @OnEachDevice
  void blocksDoNotOverlap(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      Tensor[] all = new Tensor[40];
      for (int i = 0; i < all.length; i++) {
        all[i] = device.full(DType.F64, Shape.of(1 + 37 * i), i);
        if (i % 3 == 2) {
          all[i - 1].close();
          all[i - 1] = device.full(DType.F64, Shape.of(5 + i), i - 1);
        }
      }
      for (int i = 0; i < all.length; i++) {
        for (double value : all[i].toDoubles()) {
          assertEquals(i, value);
        }
      }
    }
  }

  @OnEachDevice
  void recordedStepIsReplayed(OnEachDevice.Place place) {
    try (Device device = place.open();
        Tape tape = new Tape(device)) {
      Tensor x = device.tensor(new double[] {1, 2, 3});
      Tensor[] y = new Tensor[1];
      try (Program program = device.record(() -> y[0] = tape.sum(tape.square(x)))) {
        assertTrue(program.size() >= 2);
        program.run();
        assertEquals(14, y[0].item());
        x.fill(2);
        assertEquals(14, y[0].item());
        program.run();
        assertEquals(12, y[0].item());
      }
    }
  }

  @OnEachDevice
  void failedRecordingLeavesTheDeviceUsable(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      Tensor x = device.tensor(new double[] {1, 2, 3});
      assertThrows(
          ArithmeticException.class,
          () ->
              device.record(
                  () -> {
                    x.fill(7);
                    throw new ArithmeticException();
                  }));
      assertArrayEquals(new double[] {1, 2, 3}, x.toDoubles());
      x.fill(7);
      assertEquals(7, x.toDoubles()[0]);
    }
  }

  @Test
  void outOfMemorySaysWhatIsLiveCachedAndAskedFor() {
    try (Device device = Device.cuda()) {
      Emulator.totalMemory(Emulator.liveBytes() + (8 << 20));
      Tensor live = device.allocate(DType.F32, Shape.of(1 << 20));
      OutOfDeviceMemoryException e =
          assertThrows(
              OutOfDeviceMemoryException.class,
              () -> device.allocate(DType.F32, Shape.of(3 << 20)));
      assertTrue(e.getMessage().contains("asked for 12.0 MiB"), e.getMessage());
      assertTrue(e.getMessage().contains("4.0 MiB live"), e.getMessage());
      assertTrue(e.getMessage().contains("0 bytes cached"), e.getMessage());
      live.fill(1);
      assertEquals(1, live.view(77, Shape.of(1)).item());
    }
  }

  @Test
  void cacheIsGivenBackBeforeMemoryRunsOut() {
    try (Device device = Device.cuda()) {
      Emulator.totalMemory(Emulator.liveBytes() + (8 << 20));
      device.allocate(DType.F32, Shape.of(1 << 20)).close();
      assertNotEquals(0, device.memory().cached());
      device.allocate(DType.F32, Shape.of(3 << 19)).close();
      assertEquals(6 << 20, device.memory().cached());
    }
  }

  /** Whichever allocation fails: the device goes on, and nothing is left behind. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void failedAllocationLeavesAUsableDevice(int nth) {
    try (Device device = Device.cuda()) {
      Tensor w = device.tensor(DType.F64, Shape.of(3, 2), 1, 2, 3, 4, 5, 6).requiresGrad();
      Emulator.failAllocation(nth);
      boolean failed = false;
      try {
        step(device, w);
      } catch (OutOfDeviceMemoryException e) {
        failed = true;
      }
      assertTrue(failed, "allocation " + nth + " did not fail");
      Emulator.failAllocation(0);
      w.zeroGrad();
      step(device, w);
      double[] first = w.grad().toDoubles();
      w.close();
      assertEquals(0, device.memory().live());
      try (Device cpu = Device.cpu();
          Tensor same = cpu.tensor(DType.F64, Shape.of(3, 2), 1, 2, 3, 4, 5, 6).requiresGrad()) {
        step(cpu, same);
        assertArrayEquals(same.grad().toDoubles(), first, 1e-12);
      }
    }
    assertEquals(0, Emulator.liveBytes());
    assertEquals(0, Emulator.leakedAllocations());
    assertEquals(0, Emulator.leakedObjects());
  }

  private static void step(Device device, Tensor w) {
    try (Tape tape = new Tape(device);
        Tensor x = device.full(DType.F64, Shape.of(600, 3), 0.5)) {
      Tensor h = tape.tanh(tape.matmul(x, w));
      tape.backward(tape.sum(tape.exp(tape.scale(h, 0.5))));
    }
  }

  @Test
  void forgottenTensorIsReclaimed() throws InterruptedException {
    try (Device device = Device.cpu()) {
      forget(device);
      for (int i = 0; i < 100 && device.memory().live() > 0; i++) {
        System.gc();
        Thread.sleep(20);
      }
      assertEquals(0, device.memory().live());
    }
  }

  private static void forget(Device device) {
    device.allocate(DType.F32, Shape.of(100_000));
  }
}
