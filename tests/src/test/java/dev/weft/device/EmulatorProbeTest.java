// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.support.Emulator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Kernels that do wrong what the emulator must catch, in both orders of threads: a check that the
 * checks of all other kernels can fail.
 */
@ExtendWith(Emulator.class)
class EmulatorProbeTest {
  private static final int N = 640;

  private EmulatedDriver driver;
  private long y;

  /** In which order blocks and threads run. */
  enum Order {
    ASCENDING,
    DESCENDING;

    void set() {
      if (this == DESCENDING) {
        Emulator.reverse();
      }
    }
  }

  private record Probe(String kernel, int error, String says) {}

  static Stream<Arguments> probes() {
    return Stream.of(
            new Probe(
                "probe_returned_before_barrier", EmulatedDriver.LAUNCH_FAILED, "32 have returned"),
            new Probe("probe_two_barriers", EmulatedDriver.LAUNCH_FAILED, "while 32 threads wait"),
            new Probe(
                "probe_lane_missing", EmulatedDriver.LAUNCH_FAILED, "waits for lanes 0xffff0000"),
            new Probe("probe_two_collectives", EmulatedDriver.LAUNCH_FAILED, "another collective"),
            new Probe("probe_null", EmulatedDriver.ILLEGAL_ADDRESS, "0x10"),
            new Probe("probe_past_end", EmulatedDriver.ILLEGAL_ADDRESS, "block"),
            new Probe("probe_misaligned", EmulatedDriver.MISALIGNED_ADDRESS, "align"),
            new Probe("probe_division_by_zero", EmulatedDriver.LAUNCH_FAILED, "divi"))
        .flatMap(
            probe ->
                Stream.of(Order.values())
                    .map(
                        order ->
                            Arguments.argumentSet(probe.kernel() + " " + order, probe, order)));
  }

  @BeforeEach
  void open() {
    driver = new EmulatedDriver();
    Emulator.exact();
    y = driver.allocate(4 * N);
  }

  @AfterEach
  void close() {
    driver.free(y);
    driver.close();
  }

  @ParameterizedTest
  @MethodSource("probes")
  void wrongKernelIsCaughtAndTheDeviceStaysUsable(Probe probe, Order order) {
    order.set();
    int result = driver.launch(driver.stream, probe.kernel(), 2, 64, y, N, 0);
    String said = Emulator.lastError();
    assertEquals(probe.error(), result, said);
    assertTrue(said.contains(probe.kernel()), said);
    assertTrue(said.contains(probe.says()), said);
    driver.fill(driver.stream, y, N, 3);
    assertEquals(3, driver.read(y, N)[N - 1]);
  }

  /** The two orders are what shows a missing barrier, so they must show this one. */
  @ParameterizedTest
  @EnumSource
  void missingBarrierIsRightInOneOrderOnly(Order order) {
    int threads = 64;
    driver.fill(driver.stream, y, N, -1);
    order.set();
    assertEquals(0, driver.launch(driver.stream, "probe_no_barrier", 1, threads, y, N, 0));
    float[] got = driver.read(y, threads);
    int right = 0;
    for (int t = 0; t < threads; t++) {
      right += got[t] == (t + 1) % threads ? 1 : 0;
    }
    if (order == Order.DESCENDING) {
      assertTrue(right >= threads - 1, right + " of " + threads);
    } else {
      assertTrue(right <= 1, right + " of " + threads);
    }
  }

  @ParameterizedTest
  @EnumSource
  void collectivesGiveWhatCudaDefines(Order order) {
    order.set();
    assertEquals(
        0, driver.launch(driver.stream, "probe_collectives", 1, 32, y, N, 0), Emulator::lastError);
    float[] got = driver.read(y, N);
    for (int lane = 0; lane < 32; lane++) {
      float[] row = {
        5, // __shfl
        lane / 8 * 8 + 1, // __shfl of lane 9 in groups of 8
        lane >= 3 ? lane - 3 : lane, // __shfl_up
        lane % 8 >= 3 ? lane - 3 : lane,
        lane + 3 < 32 ? lane + 3 : lane, // __shfl_down
        lane % 16 + 3 < 16 ? lane + 3 : lane,
        lane ^ 16, // __shfl_xor
        (lane ^ 1) + 0.5f,
        lane ^ 2,
        0b1001001001001001, // __ballot of every third lane, low half
        1, // __any
        0, // __all
        8, // lanes that match modulo 4
        496, // the sum of 0 to 31
        31, // their maximum
        16, // __syncthreads_count of the odd ones
        lane < 8 ? 7 : 8, // two groups, each under its mask
        0, // an even counter
        64, // 32 times 2 added to it
        31, // the largest ticket
      };
      for (int k = 0; k < row.length; k++) {
        assertEquals(row[k], got[32 * k + lane], "collective %d, lane %d".formatted(k, lane));
      }
    }
  }
}
