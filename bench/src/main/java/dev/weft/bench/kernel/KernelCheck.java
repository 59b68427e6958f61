// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.kernel;

import static dev.weft.format.Format.format;

import dev.weft.Device;
import dev.weft.Tensor;
import dev.weft.device.Bfloat16;
import java.util.Arrays;

/**
 * A kernel in float32 against the same kernel in float64 on the CPU, which the tests hold against
 * other people's arithmetic.
 */
public final class KernelCheck {
  private static final double OF_VALUE = 1e-4;
  private static final double OF_LARGEST = 1e-5;

  private KernelCheck() {}

  /**
   * Checks a kernel on small operands: of a size that nothing divides, and of {@link
   * KernelSize#CACHE}.
   *
   * @throws IllegalStateException as {@link #run(KernelCase, KernelMemory, Device)} does
   */
  public static void run(KernelCase kernel, Device device) {
    for (KernelSize size : new KernelSize[] {KernelSize.ODD, KernelSize.CACHE}) {
      try (KernelMemory memory = new KernelMemory(device, size)) {
        run(kernel, memory, device);
      }
    }
  }

  /**
   * Runs the kernel once on the memory, and once on a copy of it.
   *
   * @throws IllegalStateException where an element differs: by more than 1e-4 of it and 1e-5 of the
   *     largest of its matrix
   */
  static void run(KernelCase kernel, KernelMemory memory, Device device) {
    run(kernel, memory, device, () -> kernel.run(device, memory));
  }

  /** As above, of a kernel that {@code body} runs on the memory. */
  static void run(KernelCase kernel, KernelMemory memory, Device device, Runnable body) {
    if (kernel == KernelCase.TO_BF16 || kernel == KernelCase.FROM_BF16) {
      body.run();
      cast(kernel, memory, device);
      return;
    }
    try (Device cpu = Device.cpu();
        KernelMemory twin = memory.twin(cpu)) {
      body.run();
      kernel.run(cpu, twin);
      for (int i = 0; i < KernelMemory.MATRICES; i++) {
        compare(kernel, device, i, memory.matrix(i), twin.matrix(i));
      }
      if (!Arrays.equals(memory.integers(), twin.integers())) {
        throw new IllegalStateException(
            format("%s on %s writes other integers than in float64", kernel, device));
      }
    }
  }

  /** There is no float64 of these: against {@link Bfloat16}, to the bit. */
  private static void cast(KernelCase kernel, KernelMemory memory, Device device) {
    float[] wide = memory.matrix(kernel == KernelCase.TO_BF16 ? 0 : 1).toFloats();
    short[] half = memory.halves();
    for (int i = 0; i < wide.length; i++) {
      if (Bfloat16.bits(wide[i]) != half[i]) {
        throw new IllegalStateException(
            format("%s on %s: element %d is %s and %#x", kernel, device, i, wide[i], half[i]));
      }
    }
  }

  private static void compare(
      KernelCase kernel, Device device, int place, Tensor given, Tensor wanted) {
    float[] got = given.toFloats();
    double[] should = wanted.toDoubles();
    double largest = 0;
    for (double value : should) {
      largest = Math.max(largest, Math.abs(value));
    }
    for (int i = 0; i < got.length; i++) {
      double allowed = OF_VALUE * Math.abs(should[i]) + OF_LARGEST * largest;
      if (!(Math.abs(got[i] - should[i]) <= allowed)) {
        throw new IllegalStateException(
            format(
                "%s on %s: element %d of matrix %s is %s, and should be %s within %.1e",
                kernel, device, i, "xyzw".charAt(place), got[i], should[i], allowed));
      }
    }
  }
}
