// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.kernel;

import static dev.weft.format.Format.format;

import dev.weft.device.Backend;
import dev.weft.device.Bfloat16;
import dev.weft.device.Kernel;
import dev.weft.device.Precision;
import dev.weft.device.cpu.CpuBackend;
import java.util.stream.DoubleStream;

/**
 * A kernel in float32 against the same kernel in float64 on the CPU, which the tests hold against
 * other people's arithmetic.
 */
public final class KernelCheck {
  private static final double OF_VALUE = 1e-4;
  private static final double OF_LARGEST = 1e-5;

  private KernelCheck() {}

  /**
   * Checks a case of a size on small operands: of a size that nothing divides, and of {@link
   * KernelSize#CACHE}.
   *
   * @throws IllegalStateException as {@link #run(KernelCase, Backend, KernelMemory, Runnable)} does
   */
  public static void run(KernelSize size, String name, Backend backend) {
    for (KernelSize small : new KernelSize[] {KernelSize.ODD, KernelSize.CACHE}) {
      KernelCase one = size.timed(name, small);
      try (KernelMemory memory = new KernelMemory(backend, Precision.F32)) {
        run(one, backend, memory, () -> one.run(backend, memory));
      }
    }
  }

  /**
   * Holds what {@code body} makes of the memory against the case in float64.
   *
   * @throws IllegalStateException where an element differs: by more than 1e-4 of it and 1e-5 of the
   *     largest of its operand
   */
  static void run(KernelCase one, Backend backend, KernelMemory memory, Runnable body) {
    try (CpuBackend cpu = new CpuBackend(0);
        KernelMemory twin = new KernelMemory(cpu, Precision.F64, Precision.F32)) {
      body.run();
      one.run(cpu, twin);
      for (int b = 0; b < twin.buffers().size(); b++) {
        KernelMemory.Buffer operand = twin.buffers().get(b);
        double[] wanted = twin.numbers(operand);
        boolean cast = one.kernel() == Kernel.F32_TO_BF16 || one.kernel() == Kernel.BF16_TO_F32;
        if (cast && operand.access().writes()) {
          // there is no float64 of these
          double[] x = twin.numbers(twin.buffers().getFirst());
          wanted = DoubleStream.of(x).map(v -> Bfloat16.round((float) v)).toArray();
        }
        double[] got = memory.numbers(memory.buffers().get(b));
        double largest = DoubleStream.of(wanted).map(Math::abs).max().orElse(0);
        boolean exact = cast || operand.type().isWhole();
        for (int i = 0; i < got.length; i++) {
          double allowed = exact ? 0 : OF_VALUE * Math.abs(wanted[i]) + OF_LARGEST * largest;
          if (!(Math.abs(got[i] - wanted[i]) <= allowed)) {
            throw new IllegalStateException(
                format(
                    "%s on %s: element %d of %s is %s, and should be %s within %.1e",
                    one, backend.name(), i, operand.name(), got[i], wanted[i], allowed));
          }
        }
      }
    }
  }
}
