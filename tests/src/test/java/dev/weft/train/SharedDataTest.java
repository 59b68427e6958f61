// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.MathMode;
import dev.weft.data.Digits;
import dev.weft.data.Split;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.optim.Sgd;
import dev.weft.support.Emulator;
import dev.weft.support.OnEachDevice;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Emulator.class)
class SharedDataTest {
  private static final int RUNS = 9;
  private static final Split DIGITS = Digits.generate(700, 7);

  /** Bytes of all images, and a label for each. */
  private static final long DATA =
      (DIGITS.train().rows() + DIGITS.test().rows()) * (784 + (long) Integer.BYTES);

  private static Sequential network() {
    return Sequential.of(new Linear(784, 10));
  }

  private static TrainingRun start(Sequential network, Device device, @Nullable SharedData shared) {
    return Trainer.of(network).on(device).sharedData(shared).start(DIGITS.train(), DIGITS.test());
  }

  /** Device memory of nine runs that are open side by side, over that of one. */
  private static long more(Device device, @Nullable SharedData shared) {
    Deque<AutoCloseable> open = new ArrayDeque<>();
    long one = 0;
    for (int i = 0; i < RUNS; i++) {
      Sequential network = network();
      open.push(network);
      open.push(start(network, device, shared));
      one = i == 0 ? device.memory().live() : one;
    }
    long all = device.memory().live();
    while (!open.isEmpty()) {
      try {
        open.pop().close();
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    }
    return all - one;
  }

  @OnEachDevice
  void runsSideBySideHaveOneCopy(OnEachDevice.Place place) {
    try (Device device = place.open();
        SharedData shared = new SharedData(device)) {
      long alone = more(device, null);
      assertEquals((RUNS - 1) * DATA, alone - more(device, shared), 4096 * RUNS);
    }
  }

  @OnEachDevice
  void runsOneAfterAnotherHaveTheCopyOfTheFirst(OnEachDevice.Place place) {
    try (Device device = place.open()) {
      try (SharedData shared = new SharedData(device)) {
        for (int i = 0; i < RUNS; i++) {
          try (Sequential network = network();
              TrainingRun run = start(network, device, shared)) {
            run.step();
          }
          assertEquals(DATA, device.memory().live(), 4096);
        }
      }
      assertEquals(0, device.memory().live());
    }
  }

  @OnEachDevice
  void theResultsAreThoseOfRunsAlone(OnEachDevice.Place place) {
    try (Device device = place.open();
        SharedData shared = new SharedData(device)) {
      for (MathMode math : new MathMode[] {MathMode.STRICT, MathMode.BF16, MathMode.STRICT}) {
        assertArrayEquals(fitted(device, math, null), fitted(device, math, shared), 0);
      }
    }
  }

  private static double[] fitted(Device device, MathMode math, @Nullable SharedData shared) {
    try (Sequential network = network()) {
      Trainer trainer = Trainer.of(network).on(device).math(math).optimizer(Sgd.rate(0.1));
      History history = trainer.sharedData(shared).fit(DIGITS.train(), DIGITS.test(), 1);
      return new double[] {history.last().train().loss(), history.last().test().loss()};
    }
  }

  /** Room for half of what is free is asked of what is not there yet. */
  @Test
  void whatIsThereAlreadyNeedsNoRoom() {
    try (Device device = Device.cpu();
        SharedData shared = new SharedData(device);
        Sequential network = network();
        TrainingRun resident = start(network, device, shared);
        Sequential other = network()) {
      Trainer tight = Trainer.of(other).on(device).dataMemory(1);
      assertThrows(IllegalArgumentException.class, () -> tight.start(DIGITS.train()));
      resident.step();
      tight.dataMemory(4L * DIGITS.train().rows()).sharedData(shared).start(DIGITS.train()).close();
    }
  }

  @Test
  void whatIsInUseIsNotClosed() {
    try (Device device = Device.cpu();
        Sequential network = network()) {
      SharedData shared = new SharedData(device);
      TrainingRun run = start(network, device, shared);
      String said = assertThrows(IllegalStateException.class, shared::close).getMessage();
      assertTrue(said.contains("in use: 2 sets of training or test data to close first"), said);
      run.step();
      run.close();
      shared.close();
      said =
          assertThrows(IllegalStateException.class, () -> start(network, device, shared))
              .getMessage();
      assertEquals("the shared data is closed: make another SharedData", said);
      assertTrue(device.memory().live() < DATA, "what is left is the network and its optimizer's");
    }
  }

  @Test
  void anotherDeviceNeedsAnother() {
    try (Device device = Device.cpu();
        Device second = Device.cpu();
        SharedData shared = new SharedData(device);
        Sequential network = network()) {
      String said =
          assertThrows(IllegalArgumentException.class, () -> start(network, second, shared))
              .getMessage();
      assertTrue(said.contains("needs a SharedData of its own"), said);
      assertEquals(0, second.memory().live());
    }
  }
}
