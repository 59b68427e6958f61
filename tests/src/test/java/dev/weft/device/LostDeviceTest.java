// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.Device;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.data.Digits;
import dev.weft.device.cuda.CudaException;
import dev.weft.nn.Sequential;
import dev.weft.support.Emulator;
import dev.weft.train.Trainer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * After an error of a kernel a real driver answers every call with it, also those that give back.
 */
@ExtendWith(Emulator.class)
class LostDeviceTest {

  @ParameterizedTest
  @CsvSource({"1, false, 1e9", "30, false, 1e9", "200, false, 60e3", "30, true, 60e3"})
  void theFirstErrorIsSaidAndClosingEnds(long launch, boolean deferred, double memory) {
    Emulator.sticky();
    if (deferred) {
      Emulator.deferred();
    }
    CudaException failure = assertThrows(CudaException.class, () -> train(launch, (long) memory));
    assertEquals(EmulatedDriver.LAUNCH_FAILED, failure.code());
    assertTrue(failure.getMessage().contains("start it again"), failure.getMessage());
    assertEquals(0, failure.getSuppressed().length, "of a lost device nothing more is said");
    assertEquals(0, Emulator.liveBytes());

    Exception again = assertThrows(DeviceException.class, () -> Device.cuda().close());
    assertTrue(again.getMessage().contains("LAUNCH_FAILED"), again.getMessage());
    Emulator.reset();
    Emulator.device().close();
  }

  /** cuBLAS has numbers of its own; the driver is asked for the reason. */
  @Test
  void aProductThatLosesTheDeviceIsToldApart() {
    Emulator.sticky();
    CudaException failure =
        assertThrows(
            CudaException.class,
            () -> {
              try (Device device = Emulator.device();
                  Tape tape = new Tape(device)) {
                Tensor x = device.tensor(new float[][] {{1, 2}, {3, 4}});
                Emulator.failLaunch(1);
                tape.matmul(x, x);
              }
            });
    assertEquals("cublasGemmEx", failure.call());
    assertEquals(EmulatedDriver.LAUNCH_FAILED, failure.code());
    assertTrue(failure.getMessage().contains("start it again"), failure.getMessage());
    assertEquals(0, failure.getSuppressed().length, "of a lost device nothing more is said");
    assertEquals(0, Emulator.liveBytes());
  }

  private static void train(long launch, long memory) {
    try (Device device = Emulator.device();
        Sequential network = Sequential.parse("linear(784,16) relu linear(16,10)")) {
      Emulator.failLaunch(launch);
      var digits = Digits.generate(128, 1);
      Trainer.of(network)
          .on(device)
          .batch(32)
          .dataMemory(memory)
          .fit(digits.train(), digits.test(), 20);
    }
  }
}
