// SPDX-License-Identifier: Apache-2.0
package dev.weft.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.Shape;
import dev.weft.data.Dataset;
import dev.weft.data.Digits;
import dev.weft.data.Split;
import dev.weft.data.ToySets;
import dev.weft.device.DeviceException;
import dev.weft.device.OutOfDeviceMemoryException;
import dev.weft.nn.Activation;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.optim.Sgd;
import dev.weft.support.Emulator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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
    int launches = 0;
    int copies = 0;
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
            // such as "cuda:0: cuLaunchKernel of fill_f32": the device, then the call
            assertTrue(e.getMessage().matches("(?s).*\\bcu(blas)?[A-Z]\\w+.*"), e.getMessage());
            if (launch) {
              launches++;
            } else {
              copies++;
            }
          }
          Emulator.reset();
          network.close();
          assertEquals(0, device.memory().live());
        }
        trainsAsEver(device, data);
      }
    }
    assertTrue(launches >= 1, "no launch failed");
    assertTrue(copies >= 1, "no copy failed");
    assertEquals(0, Emulator.liveBytes());
  }

  @Test
  void aGraphThatFindsNoMemoryGetsWhatIsCached() {
    Dataset data = ToySets.spirals(93, 3, 0.05, 2);
    try (Device device = Emulator.device()) {
      device.zeros(DType.F32, Shape.of(100_000)).close();
      assertTrue(device.memory().cached() > 0);
      Emulator.failInstantiation(1);
      trainsAsEver(device, data);

      device.trim();
      Sequential network = network().on(device);
      device.zeros(DType.F32, Shape.of(100_000)).close();
      Engine.record(device, () -> network.arena().gradients().fill(1)).close();
      assertTrue(device.memory().cached() > 0, "the cache is kept where there is no shortage");
      Emulator.failInstantiation(1);
      Engine.record(device, () -> network.arena().gradients().fill(1)).close();
      assertEquals(0, device.memory().cached(), "and given back where there is one");
      network.close();
    }
    assertEquals(0, Emulator.liveGraphs());
    assertEquals(0, Emulator.liveBytes());
  }

  private static void trainsAsEver(Device device, Dataset data) {
    Sequential network = network();
    try (TrainingRun run = Trainer.of(network).on(device).batch(31).start(data)) {
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
          assertThrows(OutOfDeviceMemoryException.class, () -> network.on(device));
      assertTrue(e.getMessage().matches(".*asked for .* live, .* cached.*"), e.getMessage());
      assertEquals(0, device.memory().live());
    } finally {
      Emulator.reset();
    }
  }

  @ParameterizedTest(name = "784-{0}-{0}-10, batch {1}")
  @CsvSource({"512, 128", "2048, 1024", "64, 1000"})
  void trainingTakesParametersDataAndABatchOfActivations(int hidden, int batch) {
    int rows = 3_000;
    Split digits = Digits.generate(rows, 1);
    try (Device device = Device.cpu()) {
      Sequential network =
          Sequential.of(
              new Linear(784, hidden),
              Activation.RELU,
              new Linear(hidden, hidden),
              Activation.RELU,
              new Linear(hidden, 10));
      try (TrainingRun run =
          Trainer.of(network)
              .on(device)
              .optimizer(Sgd.rate(1e-3).momentum(0.9))
              .batch(batch)
              .fusion(Fusion.NEVER)
              .start(digits.train())) {
        run.step();
        long parameters = 4L * network.size() * (1 + 1 + 1);
        long data = rows * (784L + 4 + 4);
        long activations = 4L * batch * (784 + hidden + hidden + 10);
        double ratio = device.memory().peak() / (double) (parameters + data + activations);
        assertTrue(ratio < 1.10, () -> "ratio " + ratio);
        assertTrue(ratio > 0.95, () -> "the formula counts what is not there: ratio " + ratio);
      }
      network.close();
    }
  }

  /** A batch that does not fit is answered by one that does. */
  @Test
  void theLargestBatchThatWouldFitIsNamed() {
    Dataset data = Digits.generate(20_000, 1).train();
    try (Device device = Emulator.device();
        Sequential network =
            Sequential.of(new Linear(784, 256), Activation.TANH, new Linear(256, 10)).on(device)) {
      Trainer trainer = Trainer.of(network).on(device).fusion(Fusion.NEVER).dataMemory(20L << 20);
      trainer.batch(16).fit(data.slice(0, 64), 1); // what cuBLAS takes for itself, and Adam
      device.trim();
      Emulator.totalMemory(Emulator.liveBytes() + (48L << 20));
      var failure =
          assertThrows(OutOfDeviceMemoryException.class, () -> trainer.batch(20_000).fit(data, 1));
      Matcher said =
          Pattern.compile("a batch of about ([\\d,]+) rows would fit")
              .matcher(failure.getMessage());
      assertTrue(said.find(), failure::getMessage);
      int rows = Integer.parseInt(said.group(1).replace(",", ""));
      assertTrue(rows > 500, failure::getMessage);
      trainer.batch(rows * 9 / 10).start(data).close(); // it says "about"
    }
  }
}
