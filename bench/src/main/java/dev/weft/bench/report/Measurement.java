// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One timed thing. What {@code part}, {@code group}, {@code name} and {@code mode} have in common
 * can be compared: across devices, and across sides.
 *
 * @param group what belongs into one plot: a network, the size of a kernel's operands
 * @param x its place on the axis of that plot; 0 where there is none
 * @param side who ran it: {@code Weft}, {@code DJL}, {@code PyTorch eager}
 * @param mode the arithmetic: {@code STRICT}, {@code FAST}, {@code BF16}
 * @param device {@code cpu} or {@code cuda:0}
 * @param times of one operation
 * @param bytes that one operation must read and write; 0 where it is not counted
 * @param flops of one operation; 0 where it is not counted
 */
public record Measurement(
    Part part,
    String group,
    String name,
    double x,
    String side,
    String mode,
    String device,
    Times times,
    double bytes,
    double flops) {

  /** The side that all others are compared with. */
  public static final String WEFT = "Weft";

  /** The side that copies operands of a kernel's size, between turns of that kernel. */
  public static final String COPY = "a copy";

  /**
   * Microseconds. Each turn on a CPU is a Java machine of its own; the n-th turns of all sides of a
   * comparison are neighbours in time.
   *
   * @param median of the turns' medians
   * @param low median of the turns' 5th percentiles
   * @param high median of the turns' 95th percentiles
   * @param turns the median of each
   * @param samples of all turns together
   * @param garbage bytes that one operation allocated on Java's heap; null where it was not counted
   */
  public record Times(
      double median, double low, double high, List<Double> turns, long samples, Double garbage) {}

  /** Whether both are turns of the same thing. */
  boolean isTurnOf(Measurement other) {
    return part == other.part
        && group.equals(other.group)
        && name.equals(other.name)
        && side.equals(other.side)
        && mode.equals(other.mode)
        && device.equals(other.device);
  }

  /** This with the turns of another after its own. */
  Measurement followedBy(Measurement other) {
    List<Double> turns = new ArrayList<>(times.turns());
    turns.addAll(other.times.turns());
    double[] medians = turns.stream().mapToDouble(Double::doubleValue).toArray();
    Times all =
        new Times(
            median(medians),
            median(times.low(), other.times.low()),
            median(times.high(), other.times.high()),
            turns,
            times.samples() + other.times.samples(),
            other.times.garbage());
    return new Measurement(part, group, name, x, side, mode, device, all, bytes, flops);
  }

  /** Whether Weft ran it. */
  public boolean isWeft() {
    return side.equals(WEFT);
  }

  /** Bytes by time, GB/s. */
  public double gigabytesPerSecond() {
    return bytes / times.median() / 1e3;
  }

  /** Arithmetic by time, GFLOP/s. */
  public double gigaflops() {
    return flops / times.median() / 1e3;
  }

  /** Side and arithmetic: {@code Weft FAST}. */
  public String who() {
    return side + " " + mode;
  }

  /** The median of any values. */
  public static double median(double... values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
