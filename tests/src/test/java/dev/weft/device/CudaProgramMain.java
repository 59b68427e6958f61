// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import dev.weft.bench.kernel.KernelCase;
import dev.weft.bench.kernel.KernelCases;
import dev.weft.bench.kernel.KernelMemory;
import dev.weft.device.cpu.CpuBackend;
import dev.weft.device.cuda.CudaBackend;
import dev.weft.device.cuda.CudaLibraries;

/** A program that opens CUDA, tells what it found, and holds matrix products against the CPU's. */
final class CudaProgramMain {
  private CudaProgramMain() {}

  /** Prints the description, or the error that a user would see; then what each part is. */
  public static void main(String[] arguments) {
    try (CudaBackend cuda = new CudaBackend(0);
        CpuBackend cpu = new CpuBackend(0)) {
      System.out.println("opened " + cuda.description());
      for (Precision precision : Precision.values()) {
        for (KernelCase one : KernelCases.of(Kernel.GEMM)) {
          KernelMemory here = new KernelMemory(cpu, precision);
          KernelMemory there = new KernelMemory(cuda, precision);
          one.run(cpu, here);
          one.run(cuda, there);
          here.assertSame(there, one.name());
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
