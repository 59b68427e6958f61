// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.data.Dataset;
import dev.weft.data.Digits;
import dev.weft.data.Split;
import dev.weft.data.ToySets;
import dev.weft.device.DeviceException;
import dev.weft.device.OutOfDeviceMemoryException;
import dev.weft.nn.Activation;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.optim.Adam;
import dev.weft.support.Emulator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Emulator.class)
class TrainingMemoryTest {

  private static Device open(String name) {
    return name.equals("cpu") ? Device.cpu() : Emulator.device();
  }

  private static Sequential network() {
    return Sequential.of(new Linear(2, 16), Activation.RELU, new Linear(16, 3));
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu", "cuda"})
  void afterAThousandStepsAndClosingNothingIsLive(String name) {
    Dataset data = ToySets.spirals(310, 3, 0.05, 2);
    Device device = open(name);
    try (device) {
      Sequential network = network();
      long afterFirstStep;
      try (TrainingRun run = Trainer.of(network).on(device).batch(31).start(data, data)) {
        run.step();
        afterFirstStep = device.memory().live();
        for (int i = 1; i < 1_000; i++) {
          run.step();
        }
        assertEquals(afterFirstStep, device.memory().live(), "a step leaves nothing behind");
      }
      network.close();
      assertEquals(0, device.memory().live());
    }
    assertEquals(0, device.memory().live());
    if (name.equals("cuda")) {
      assertEquals(0, Emulator.liveBytes());
      assertEquals(0, Emulator.leakedAllocations());
    }
  }

  @Test
  void whicheverAllocationFailsTheDeviceStaysUsableAndNothingLeaks() {
    Dataset data = ToySets.spirals(93, 3, 0.05, 2);
    int failures = 0;
    try (Device device = Emulator.device()) {
      for (int n = 1; n <= 40; n++) {
        device.trim();
        Emulator.failAllocation(n);
        Sequential network = network();
        try (TrainingRun run = Trainer.of(network).on(device).batch(31).start(data, data)) {
          run.step();
        } catch (OutOfDeviceMemoryException e) {
          failures++;
          assertTrue(e.getMessage().contains("live"), e.getMessage());
        }
        Emulator.failAllocation(0);
        network.close();
        assertEquals(0, device.memory().live(), "after allocation " + n + " failed");
        trainsAsEver(device, data);
      }
    }
    assertTrue(failures >= 5, "allocations failed in " + failures + " runs");
    assertEquals(0, Emulator.liveBytes());
  }

  @Test
  void aFailingLaunchOrCopyNamesTheCallAndLeaksNothing() {
    Dataset data = ToySets.spirals(93, 3, 0.05, 2);
    try (Device device = Emulator.device()) {
      for (int n = 1; n <= 12; n++) {
        for (boolean launch : new boolean[] {true, false}) {
          if (launch) {
            Emulator.failLaunch(n);
          } else {
            Emulator.failCopy(n);
          }
          Sequential network = network();
          try (TrainingRun run = Trainer.of(network).on(device).batch(31).start(data, data)) {
            run.step();
            run.loss();
          } catch (DeviceException e) {
            assertTrue(e.getMessage().contains("cu"), e.getMessage());
          }
          Emulator.reset();
          network.close();
          assertEquals(0, device.memory().live());
        }
        trainsAsEver(device, data);
      }
    }
    assertEquals(0, Emulator.liveBytes());
  }

  private static void trainsAsEver(Device device, Dataset data) {
    Sequential network = network();
    try (TrainingRun run = Trainer.of(network).on(device).batch(31).start(data, null)) {
      run.step();
      assertEquals(1.1, run.loss(), 0.4);
    }
    network.close();
    assertEquals(0, device.memory().live());
  }

  @Test
  void aDeviceThatIsTooSmallSaysWhatItHas() {
    Emulator.totalMemory(64L << 20);
    try (Device device = Emulator.device()) {
      Sequential network = Sequential.of(new Linear(4096, 8192), new Linear(8192, 10));
      OutOfDeviceMemoryException e =
          assertThrows(
              OutOfDeviceMemoryException.class, () -> network.on(device, dev.weft.DType.F32, 1));
      assertTrue(e.getMessage().matches(".*asked for .* live, .* cached.*"), e.getMessage());
      assertEquals(0, device.memory().live());
    } finally {
      Emulator.reset();
    }
  }

  @Test
  void trainingTakesParametersDataAndABatchOfActivations() {
    Split digits = Digits.generate(6_000, 1);
    int batch = 128;
    int hidden = 512;
    try (Device device = Device.cpu()) {
      Sequential network =
          Sequential.of(new Linear(784, hidden), Activation.RELU, new Linear(hidden, 10));
      try (TrainingRun run =
          Trainer.of(network)
              .on(device)
              .optimizer(Adam.rate(1e-3))
              .batch(batch)
              .start(digits.train(), null)) {
        run.step();
        long parameters = 4L * network.size() * (1 + 1 + 2);
        long data = 6_000L * (784 + 4 + 4);
        long activations = 4L * batch * (784 + hidden + 10);
        double expected = parameters + data + activations;
        double ratio = device.memory().peak() / expected;
        System.out.printf(
            "peak %,d bytes, formula %,.0f, ratio %.3f%n", device.memory().peak(), expected, ratio);
        assertTrue(ratio < 1.10, () -> "ratio " + ratio);
      }
      network.close();
    }
  }
}
