// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import dev.weft.support.Emulator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What the emulator finds where it looks at every access, and that it finds nothing in kernels that
 * are right: a check that the same check of all other kernels can fail.
 */
@ExtendWith(Emulator.class)
class EmulatorAccessTest {
  private static final int N = 640;

  private EmulatedDriver driver;
  private long y;

  /** A launch over places of one allocation, of which the first half is written. */
  private record Meeting(String where, long onY, int x, int y, int n, int error, String says) {}

  static Stream<Arguments> meetings() {
    int race = EmulatedDriver.LAUNCH_FAILED;
    return Stream.of(
            new Meeting("in y", 1, 8, 0, 1, EmulatedDriver.SUCCESS, ""),
            new Meeting("in x", 0, 0, 8, 1, race, "race: "),
            new Meeting("behind y", 1, 8, 0, 0, race, "race: "),
            new Meeting("in y, unwritten", 1, 0, N / 2, 1, race, "nobody has written"),
            new Meeting("past y's memory", 1, 0, N, 1, EmulatedDriver.ILLEGAL_ADDRESS, "past the"))
        .flatMap(m -> Stream.of(1, 64).map(t -> argumentSet(m.where() + " by " + t, m, t)));
  }

  private record Probe(String kernel, boolean filled, int error, String says) {}

  static Stream<Arguments> probes() {
    int race = EmulatedDriver.LAUNCH_FAILED;
    return Stream.of(
            // the first thread of all reads what no other has written yet
            new Probe("probe_no_barrier", true, race, "nobody has written in this block"),
            new Probe("probe_blocks_meet", true, race, "another block of this launch writes"),
            new Probe("probe_blocks_read", true, race, "another block of this launch"),
            new Probe("probe_shuffle_for_syncwarp", true, race, "with no barrier between"),
            new Probe("probe_syncwarp_for_barrier", true, race, "with no barrier between"),
            new Probe("probe_atomic_and_plain", true, race, "another block of this launch"),
            new Probe("probe_unwritten", false, race, "nobody has written"),
            new Probe("probe_unwritten_shared", true, race, "nobody has written in this block"),
            new Probe("probe_past_end", true, EmulatedDriver.ILLEGAL_ADDRESS, "past the end"),
            new Probe("probe_syncwarp", true, EmulatedDriver.SUCCESS, ""),
            new Probe("probe_atomics", true, EmulatedDriver.SUCCESS, ""),
            new Probe("probe_collectives", true, EmulatedDriver.SUCCESS, ""))
        .flatMap(
            probe ->
                Stream.of(false, true)
                    .map(
                        reversed ->
                            argumentSet(
                                probe.kernel() + (reversed ? " in reverse" : ""),
                                probe,
                                reversed)));
  }

  @BeforeEach
  void open() {
    driver = new EmulatedDriver();
    Emulator.check();
    y = driver.allocate(4 * N);
  }

  @AfterEach
  void close() {
    driver.free(y);
    driver.close();
  }

  @ParameterizedTest
  @MethodSource("probes")
  void wrongAccessesAreFound(Probe probe, boolean reversed) {
    if (probe.filled()) {
      driver.fill(driver.stream, y, N, -1);
    }
    if (reversed) {
      Emulator.reverse();
    }
    boolean oneWarp = probe.kernel().equals("probe_collectives");
    int result =
        driver.launch(driver.stream, probe.kernel(), oneWarp ? 1 : 2, oneWarp ? 32 : 64, y, N, 0);
    String said = Emulator.lastError();
    assertEquals(probe.error(), result, said);
    assertTrue(said.contains(probe.says()), said);
    if (result != EmulatedDriver.SUCCESS) {
      assertTrue(said.contains(probe.kernel()), said);
      assertTrue(said.contains("libweft_checked_kernels.so+0x"), said);
    }
    driver.fill(driver.stream, y, N, 3);
    assertEquals(3, driver.read(y, N)[N - 1]);
  }

  /** Two blocks change one place: in y, on which the contract lets the kernel race, or in x. */
  @ParameterizedTest
  @MethodSource("meetings")
  void threadsMeetOnlyWhereTheContractLetsThem(Meeting m, int threads) {
    driver.fill(driver.stream, y, N / 2, 1);
    int result =
        driver.launchOf(
            driver.stream, "probe_races", 2, threads, y + 4 * m.x(), y + 4 * m.y(), m.n(), m.onY());
    String said = Emulator.lastError();
    assertEquals(m.error(), result, said);
    assertTrue(said.contains(m.says()), said);
    if (result == EmulatedDriver.SUCCESS) {
      assertEquals(1 + 2 * threads, driver.read(y, 1)[0]);
    }
  }

  /** A copy to the host reads, too. */
  @Test
  void copyOfUnwrittenMemoryIsFound() {
    driver.fill(driver.stream, y, N - 1, 1);
    float[] first = driver.read(y, N - 1);
    assertEquals(1, first[N - 2]);
    int result = driver.call("cuMemcpyDtoH_v2", driver.arena.allocate(4L * N), y, 4L * N);
    assertEquals(EmulatedDriver.ILLEGAL_ADDRESS, result);
    assertTrue(Emulator.lastError().contains("byte " + 4 * (N - 1) + " of"), Emulator.lastError());
  }
}
