// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import dev.weft.DType;
import dev.weft.Device;
import dev.weft.Shape;
import dev.weft.Tape;
import dev.weft.Tensor;
import dev.weft.device.Program;
import java.util.function.Function;

/** How fast a device is at best: bytes copied and float32 products, by Weft's own kernels. */
final class Ceilings {
  private static final double NANOSECONDS = 1e9;
  private static final double SECONDS_PER_MEASUREMENT = 0.3;
  private static final int MEASUREMENTS = 5;

  private Ceilings() {}

  /**
   * What was measured.
   *
   * @param name such as {@code gemm 1024}
   * @param value in units of {@code unit}
   */
  record Ceiling(String name, double value, String unit) {}

  /** Bytes read and written in a second by an elementwise kernel over a large tensor. */
  static Ceiling copy(Device device) {
    // far more than any cache holds
    long elements = device.name().equals("cpu") ? 32L << 20 : 256L << 20;
    try (Tensor x = device.zeros(DType.F32, Shape.of(elements))) {
      double seconds = seconds(device, tape -> tape.scale(x, 0.5));
      return new Ceiling("copy", 2.0 * x.bytes() / seconds / 1e9, "GB/s");
    }
  }

  /** Multiplications and additions in a second of a product of square matrices. */
  static Ceiling gemm(Device device, int size) {
    try (Tensor a = device.full(DType.F32, Shape.of(size, size), 0.5);
        Tensor b = device.full(DType.F32, Shape.of(size, size), 0.25)) {
      double seconds = seconds(device, tape -> tape.matmul(a, b));
      return new Ceiling("gemm " + size, 2.0 * size * size * size / seconds / 1e9, "GFLOP/s");
    }
  }

  /** The shortest time of a replay, each measurement long enough for the clock. */
  private static double seconds(Device device, Function<Tape, Tensor> step) {
    try (Tape tape = Tape.inference(device);
        Program program = device.record(() -> step.apply(tape))) {
      double once = time(device, program, 1);
      once = Math.min(once, time(device, program, 1));
      int count = (int) Math.clamp(SECONDS_PER_MEASUREMENT / once, 1, 10_000);
      double best = once;
      for (int i = 0; i < MEASUREMENTS; i++) {
        best = Math.min(best, time(device, program, count));
      }
      return best;
    }
  }

  private static double time(Device device, Program program, int count) {
    device.synchronize();
    long start = System.nanoTime();
    for (int i = 0; i < count; i++) {
      program.run();
    }
    device.synchronize();
    return (System.nanoTime() - start) / NANOSECONDS / count;
  }
}
