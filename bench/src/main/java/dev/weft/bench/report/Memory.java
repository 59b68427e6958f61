// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

/**
 * The device memory of a training run beside what it should need.
 *
 * @param group what was varied: {@code width}, {@code batch}, {@code depth}, {@code data}
 * @param x its value
 * @param network such as {@code 784-512-512-10, batch 128}
 * @param formulaBytes parameters x (value + gradient + state) + data set + one batch of activations
 *     and of the widest gradient of hidden values
 * @param peakBytes the most that was live
 * @param liveAfter live when all but the device was closed; 0 unless something leaks
 */
public record Memory(
    String group,
    double x,
    String network,
    String optimizer,
    String device,
    long formulaBytes,
    long peakBytes,
    long liveAfter) {

  /** The share by which a run may differ from the formula. */
  public static final double TOLERANCE = 0.1;

  /** peak / formula - 1. */
  public double deviation() {
    return peakBytes / (double) formulaBytes - 1;
  }
}
