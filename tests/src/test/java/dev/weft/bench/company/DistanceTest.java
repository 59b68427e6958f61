// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.company;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;

class DistanceTest {
  @Test
  void aRoundTripTakesNanosecondsNotNothing() {
    assumeTrue(Runtime.getRuntime().availableProcessors() > 1, "one processor has no other");
    double nanoseconds = Distance.nanoseconds();
    assertTrue(nanoseconds > 5, () -> nanoseconds + " ns");
    assertTrue(nanoseconds < 10_000_000, () -> nanoseconds + " ns");
  }
}
