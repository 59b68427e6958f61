// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.count;
import static dev.weft.format.Format.format;

import dev.weft.Device;
import dev.weft.DeviceKind;
import dev.weft.MathMode;
import dev.weft.device.cpu.Processors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where to compute. */
final class DeviceOptions {
  @Option(
      names = "--device",
      paramLabel = "NAME",
      defaultValue = "best",
      description =
          "best, cpu, cuda or cuda:N. Default: ${DEFAULT-VALUE}, a GPU where there is one.")
  private String device;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description =
          "Threads of the CPU at most, and one a processor; fewer compute while fewer are faster."
              + " Default: one for each processor, or OMP_NUM_THREADS.")
  private @Nullable Integer threads;

  @Option(
      names = "--math",
      paramLabel = "MODE",
      defaultValue = "strict",
      description =
          "strict: float32. fast: float32 whose matrix products round to TF32 or bfloat16. bf16:"
              + " bfloat16 over parameters in float32. double: float64. Default: ${DEFAULT-VALUE}.")
  private String math;

  /**
   * Opens the device.
   *
   * @throws IllegalArgumentException where there is no device of such a name, or --threads is more
   *     than there are processors, or was given and it is not the CPU
   * @throws dev.weft.device.DeviceUnavailableException where it cannot be used
   */
  Device open() {
    if (threads != null && (threads < 1 || threads > Processors.MOST_THREADS)) {
      throw new IllegalArgumentException(
          format("--threads must be 1 to %d, not %d", Processors.MOST_THREADS, threads));
    }
    int processors = Runtime.getRuntime().availableProcessors();
    if (threads != null && threads > processors) {
      throw new IllegalArgumentException(
          format(
              "--threads %d is more than the %s that Weft may use here",
              threads, count(processors, "processor")));
    }
    if (threads == null) {
      return Device.named(device);
    }
    try (Device opened = Device.named(device)) {
      if (opened.kind() != DeviceKind.CPU) {
        throw new IllegalArgumentException(
            format("--threads is for the cpu, and --device %s is %s", device, opened.name()));
      }
    }
    return Device.cpu(threads);
  }

  /** How to compute. */
  MathMode math() {
    return Choice.of("math mode", math, MathMode.class);
  }
}
