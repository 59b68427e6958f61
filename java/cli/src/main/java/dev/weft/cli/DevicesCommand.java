// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import dev.weft.Device;
import dev.weft.device.DeviceException;
import dev.weft.device.cuda.CudaBackend;
import dev.weft.device.cuda.CudaLibraries;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

/** {@code weft devices}. */
@Command(
    name = "devices",
    mixinStandardHelpOptions = true,
    description = "Lists the devices of this machine and whether they can be used.",
    footer = {"", "Example:", "  weft devices"})
final class DevicesCommand implements Callable<Integer> {
  private static final int MOST = 64;

  @ParentCommand private Main main;

  @Override
  public Integer call() {
    Table table =
        new Table(
            main.screen().out(),
            Table.left("device", 7),
            Table.left("usable", 6),
            Table.left("what", 0));
    row(table, "cpu", Device::cpu);
    int gpus = 1;
    try {
      gpus = Math.clamp(CudaBackend.count(), 1, MOST);
    } catch (DeviceException e) {
      // the row of cuda:0 says why
    }
    for (int i = 0; i < gpus; i++) {
      int ordinal = i;
      row(table, "cuda:" + ordinal, () -> Device.cuda(ordinal));
    }
    main.screen().out().println("kernels: " + CudaLibraries.kernels());
    return Main.SUCCESS;
  }

  private static void row(Table table, String name, Supplier<Device> opening) {
    try (Device device = opening.get()) {
      table.row(name, "yes", device.description());
    } catch (DeviceException e) {
      table.row(name, "no", Explanation.of(e));
    }
  }
}
