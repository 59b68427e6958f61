// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

/**
 * The most memory that a process had used after some epochs, and after twice as many.
 *
 * @param hostBytes resident memory of the process at its peak after {@code epochs}
 * @param hostBytesTwice the same after twice as many
 * @param deviceBytes peak of the device's memory after {@code epochs}
 * @param deviceBytesTwice the same after twice as many
 */
public record Endurance(
    String device,
    int epochs,
    long hostBytes,
    long hostBytesTwice,
    long deviceBytes,
    long deviceBytesTwice) {

  /** The share by which either may grow. */
  public static final double TOLERANCE = 0.01;

  /** Growth of the process. */
  public double hostGrowth() {
    return hostBytesTwice / (double) hostBytes - 1;
  }

  /** Growth of the device's memory. */
  public double deviceGrowth() {
    return deviceBytesTwice / (double) deviceBytes - 1;
  }

  /** Whether neither grows by more than it may. */
  public boolean holds() {
    return hostGrowth() < TOLERANCE && deviceGrowth() < TOLERANCE;
  }
}
