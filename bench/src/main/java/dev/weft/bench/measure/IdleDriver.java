// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.measure;

import static dev.weft.format.Format.format;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.weft.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The emulated CUDA driver, told to do nothing: every launch returns at once with success. What is
 * left to measure is the host's cost. It says nothing about any GPU.
 */
public final class IdleDriver {
  /** The system property that names the folder with the emulator's libcuda.so.1. */
  static final String PROPERTY = "weft.emulator";

  private IdleDriver() {}

  /** Why host costs cannot be measured here, or null where they can. */
  public static String missing() {
    Path driver = library("libcuda.so.1");
    return Files.exists(driver)
        ? null
        : format("no emulator at %s; build it, or name its folder by -D%s", driver, PROPERTY);
  }

  private static Path library(String name) {
    return Path.of(System.getProperty(PROPERTY, ".")).toAbsolutePath().resolve(name);
  }

  /** Opens the emulated device. */
  static Device open() {
    Path driver = library("libcuda.so.1");
    System.setProperty("weft.cuda.driver", driver.toString());
    System.setProperty("weft.cublas", library("libcublas.so.12").toString());
    Device device = Device.cuda();
    doNothing(driver);
    return device;
  }

  private static void doNothing(Path driver) {
    var address =
        SymbolLookup.libraryLookup(driver, Arena.global())
            .find("weft_emulator_do_nothing")
            .orElseThrow();
    try {
      Linker.nativeLinker().downcallHandle(address, FunctionDescriptor.ofVoid(JAVA_INT)).invoke(1);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
