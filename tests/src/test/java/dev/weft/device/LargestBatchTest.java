// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Engine;
import dev.weft.Shape;
import dev.weft.StepState;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.nn.Activation;
import dev.weft.nn.Linear;
import dev.weft.nn.Sequential;
import dev.weft.support.Emulator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LargestBatchTest {

  @ParameterizedTest
  @CsvSource({
    "1000, 10, 1999, 99",
    "1000, 10, 1009, 0",
    "1000, 10, 1010, 1",
    "1000, 10, 500, 0",
    "0, 1, 129999, 120000",
    "0, 3, 4000, 1300"
  })
  void rowsAreWhatIsLeftByRow(long fixed, long byRow, long free, long rows) {
    assertEquals(rows, new LargestBatch(fixed, byRow, free).rows());
  }

  @Test
  void twoStepsTellWhatDependsOnRows() {
    LargestBatch found = LargestBatch.measured(2, 1_020, 10, 1_100, 5_000);
    assertEquals(new LargestBatch(1_000, 10, 5_000), found);
    assertEquals(0, LargestBatch.measured(1, 512, 8, 512, 5_000).byRow());
    assertThrows(IllegalArgumentException.class, () -> LargestBatch.measured(4, 1, 4, 1, 5_000));
  }

  @Test
  void theAdviceIsInRows() {
    LargestBatch batch = new LargestBatch(1_000, 10, 13_345);
    assertEquals("a batch of about 1,200 rows would fit", batch.advice(4_096));
    assertEquals("", batch.advice(1_200), "it has just failed");
    assertEquals(
        "a batch of about 1 row would fit", new LargestBatch(1_000, 10, 1_019).advice(4_096));
    assertEquals(
        "not one row would fit: a step takes 1,000 bytes and 10 for each row, and about 900 are"
            + " free",
        new LargestBatch(1_000, 10, 900).advice(1));
    assertEquals("", new LargestBatch(1_000, 10, Long.MAX_VALUE).advice(1));
    assertEquals("", new LargestBatch(1_000, 0, 2_000).advice(64));
  }

  @Test
  void theFailureIsTheSameWithTheAdvice() {
    var failure = new OutOfDeviceMemoryException("out of memory; use a smaller batch");
    LargestBatch batch = new LargestBatch(0, 10, 640);
    OutOfDeviceMemoryException explained = batch.explain(failure, 128);
    assertEquals(
        "out of memory; use a smaller batch: a batch of about 64 rows would fit",
        explained.getMessage());
    assertSame(failure, explained.getCause());
    assertSame(failure, batch.explain(failure, 32));
  }

  /** What recording a step of so many rows takes. */
  private static long taken(Device device, StepState state, Sequential network, int rows) {
    long before = device.memory().live();
    try (Tensor x = device.allocate(DType.F32, Shape.of(rows, 64));
        Tape tape = new Tape(device, state, Tape.Mode.TRAIN).releaseResults()) {
      Runnable step = () -> tape.backward(tape.squaredNorm(network.forward(tape, x)));
      try (var program = Engine.record(device, step)) {
        program.check();
        return device.memory().live() - before;
      }
    }
  }

  @Test
  void whatIsEstimatedFits() {
    try (Device device = Emulator.device();
        StepState state = new StepState(device, 1);
        Sequential network =
            Sequential.of(new Linear(64, 256), Activation.TANH, new Linear(256, 10)).on(device)) {
      taken(device, state, network, 512); // what cuBLAS takes for itself
      long few = taken(device, state, network, 8);
      long more = taken(device, state, network, 64);
      device.trim();
      long free = 8L << 20;
      Emulator.totalMemory(Emulator.liveBytes() + free);
      LargestBatch batch = LargestBatch.measured(8, few, 64, more, free);
      int rows = (int) batch.rows();
      assertTrue(rows > 1_000, batch::toString);
      assertTrue(taken(device, state, network, rows) <= free, batch::toString);
      device.trim();
      var failure =
          assertThrows(
              OutOfDeviceMemoryException.class, () -> taken(device, state, network, rows * 5 / 4));
      assertTrue(
          batch.explain(failure, rows * 5 / 4).getMessage().contains("about"), failure::toString);
    }
  }
}
