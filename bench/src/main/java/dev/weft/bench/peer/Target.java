// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.peer;

import static java.util.Locale.ROOT;

import dev.weft.Device;
import dev.weft.device.Backend;
import dev.weft.device.DeviceUnavailableException;
import dev.weft.device.cpu.CpuBackend;
import dev.weft.device.cuda.CudaBackend;

/** Where something is measured. */
public enum Target {
  CPU,
  CUDA;

  private Boolean emulated;

  /** Opens it. */
  public Device open() {
    return this == CPU ? Device.cpu(Threads.count()) : Device.cuda();
  }

  /** Opens it without a device around it. */
  public Backend backend() {
    return this == CPU ? new CpuBackend(Threads.count()) : new CudaBackend(0);
  }

  /** The name of the device that {@link #open} gives. */
  public String device() {
    return this == CPU ? "cpu" : "cuda:0";
  }

  /** As it is typed. */
  public String word() {
    return name().toLowerCase(ROOT);
  }

  /** Its hardware, in a line. */
  public String description() {
    try (Device device = open()) {
      return device.description();
    }
  }

  /** Whether it is the emulator of the tests, on which everything takes long. */
  public boolean isEmulated() {
    if (emulated == null) {
      emulated = this == CUDA && description().contains("not a GPU");
    }
    return emulated;
  }

  /** Why it cannot be opened here, in a sentence; null where it can. */
  public String missing() {
    try {
      open().close();
      return null;
    } catch (DeviceUnavailableException e) {
      return e.getMessage();
    }
  }
}
