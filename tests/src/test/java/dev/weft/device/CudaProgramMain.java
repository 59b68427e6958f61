// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import dev.weft.bench.harness.CallMemory;
import dev.weft.bench.harness.KernelCall;
import dev.weft.device.cpu.CpuBackend;
import dev.weft.device.cuda.CudaBackend;
import dev.weft.device.cuda.CudaLibraries;

/** A program that opens CUDA, tells what it found, and holds matrix products against the CPU's. */
final class CudaProgramMain {
  private CudaProgramMain() {}

  /** Prints the description, or the error that a user would see; then what each part is. */
  public static void main(String[] arguments) {
    try (CudaBackend cuda = new CudaBackend(0);
        CpuBackend cpu = new CpuBackend()) {
      System.out.println("opened " + cuda.description());
      for (Precision precision : Precision.values()) {
        for (KernelCall one : KernelCall.of(Kernel.GEMM)) {
          CallMemory here = new CallMemory(cpu, precision);
          CallMemory there = new CallMemory(cuda, precision);
          cpu.run(Kernel.GEMM, precision, one.arguments().apply(here));
          cuda.run(Kernel.GEMM, precision, one.arguments().apply(there));
          here.assertSame(there, one.label());
        }
      }
      System.out.println("products agree");
    } catch (DeviceException e) {
      System.out.println(e.getClass().getSimpleName() + ": " + e.getMessage());
    }
    CudaLibraries.report()
        .forEach(
            part ->
                System.out.println(
                    (part.present() ? "found " : "missing ") + part.what() + " - " + part.how()));
  }
}
