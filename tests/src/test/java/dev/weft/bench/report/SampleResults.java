// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.report;

import dev.weft.bench.report.Measurement.Times;
import java.util.List;

/** Made-up figures of the right kind, for tests of how figures are shown. */
final class SampleResults {
  /** Why there is no GPU in {@link #withoutGpu}. */
  static final String NO_GPU = "the driver libcuda.so.1 is not on this machine <here>.";

  private SampleResults() {}

  /** A run on a processor alone. */
  static Results withoutGpu() {
    Results results = empty();
    results.add(new Missing(Missing.GPU, NO_GPU));
    fill(results, "cpu", 1);
    return results;
  }

  /** A run on both devices, the GPU fifty times as fast. */
  static Results withGpu() {
    Results results = empty();
    results.machine().devices().add(new Machine.Described("cuda:0", "a GPU that does not exist"));
    fill(results, "cpu", 1);
    fill(results, "cuda:0", 50);
    return results;
  }

  private static Results empty() {
    Machine machine = Machine.here(2);
    machine.devices().add(new Machine.Described("cpu", "a processor"));
    return new Results(machine, "weft bench of made-up figures");
  }

  private static void fill(Results results, String device, double speed) {
    for (String size : List.of("memory", "cache")) {
      double rate = size.equals("memory") ? 25e3 : 120e3;
      results.add(
          measured(
              Part.CEILINGS,
              Roofs.COPY,
              size,
              0,
              "Weft",
              "STRICT",
              device,
              1e8 / rate / speed,
              1e8,
              0));
      int place = 0;
      for (String kernel :
          List.of("relu_forward", "relu_backward", "softmax_cross_entropy", "dropout", "adam")) {
        place++;
        results.add(
            measured(
                Part.KERNELS,
                size,
                kernel,
                0,
                "Weft",
                "STRICT",
                device,
                1e8 / rate / speed * (1 + 0.2 * place),
                1e8,
                1e8 * place / 10));
      }
    }
    for (String mode : List.of("STRICT", "FAST")) {
      double rate = mode.equals("FAST") ? 900e3 : 350e3;
      for (int n : new int[] {256, 1024, 4096}) {
        double flops = 2.0 * n * n * n;
        results.add(
            measured(
                Part.CEILINGS,
                Roofs.GEMM,
                n + " x " + n + " x " + n,
                n,
                "Weft",
                mode,
                device,
                flops / rate / speed + 10,
                12.0 * n * n,
                flops));
      }
    }
    for (int batch : new int[] {32, 128, 512, 2048}) {
      double flops = 2.0 * batch * (2 * 784 * 512 + 3 * 512 * 512 + 3 * 5120);
      String name = "batch " + batch;
      String network = "784-512-512-10";
      double strict = flops / 330e3 / speed + 20;
      step(results, network, name, batch, "Weft", "STRICT", device, strict, flops);
      step(results, network, name, batch, "Weft", "FAST", device, strict / 2, flops);
      step(results, network, name, batch, "DJL", "STRICT", device, strict * 3 + 300, flops);
      results.add(new Agreement(network, batch, "DJL STRICT", device, 60, 2.3, 0.5, 3.2e-6, 1e-4));
    }
    for (int batch : new int[] {256, 512, 1024, 2048}) {
      double noise = batch == 512 ? 1.04 : 1;
      results.add(
          measured(
              Part.SCALING,
              "batch",
              "batch " + batch,
              batch,
              "Weft",
              "STRICT",
              device,
              (50 + 9.0 * batch) * noise / speed,
              0,
              0));
      results.add(
          new Memory(
              "batch",
              batch,
              "784-512-512-10, batch " + batch,
              "sgd(momentum=0.9)",
              device,
              20_000_000 + batch * 9000L,
              20_500_000 + batch * 9000L,
              0));
    }
    results.add(new Endurance(device, 50, 300_000_000, 300_100_000, 12_000_000, 12_000_000));
  }

  private static void step(
      Results results,
      String network,
      String name,
      double batch,
      String side,
      String mode,
      String device,
      double micros,
      double flops) {
    results.add(measured(Part.STEPS, network, name, batch, side, mode, device, micros, 0, flops));
  }

  /** A measurement of three turns around a time. */
  static Measurement measured(
      Part part,
      String group,
      String name,
      double x,
      String side,
      String mode,
      String device,
      double micros,
      double bytes,
      double flops) {
    Times times =
        new Times(
            micros,
            0.95 * micros,
            1.15 * micros,
            List.of(0.97 * micros, micros, 1.1 * micros),
            300,
            0.0);
    return new Measurement(part, group, name, x, side, mode, device, times, bytes, flops);
  }
}
