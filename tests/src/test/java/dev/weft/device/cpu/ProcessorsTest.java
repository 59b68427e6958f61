// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** OMP_NUM_THREADS says how many threads compute, where it says anything. */
class ProcessorsTest {
  private static final int PROCESSORS = 6;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"1 | 1", "4 | 4", "'4,2' | 4", "' 3 , 2' | 3", "64 | 64"})
  void theFirstNumberCounts(String setting, int threads) {
    assertEquals(threads, Processors.threads(setting, PROCESSORS));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "none",
      value = {"none", "''", "' '", "0", "-2", "many", "4x", "',4'", "99999999999"})
  void whatIsNoNumberOfThreadsIsIgnored(String setting) {
    assertEquals(PROCESSORS, Processors.threads(setting, PROCESSORS));
  }
}
