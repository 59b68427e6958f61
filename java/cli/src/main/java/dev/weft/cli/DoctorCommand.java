// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.count;
import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.Device;
import dev.weft.device.DeviceException;
import dev.weft.device.NativeFiles;
import dev.weft.device.cpu.CpuLibrary;
import dev.weft.device.cuda.CudaLibraries;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

/** {@code weft doctor}. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description = "Says what Weft found on this machine and what to do about the rest.",
    footer = {
      "",
      "Example:",
      "  weft doctor",
      "",
      "Variables:",
      "  WEFT_CACHE        folder for unpacked libraries, to which nobody else may write;",
      "                    default ~/.cache/weft",
      "  WEFT_CUBLAS       the cuBLAS to use, libcublas.so.12 or libcublas.so.13",
      "  WEFT_CUDA_DRIVER  the driver to use, libcuda.so.1",
      "",
      "Exit code 0 where the CPU can be used."
    })
final class DoctorCommand implements Callable<Integer> {
  @ParentCommand private Main main;

  @Override
  public Integer call() {
    say("weft", Version.weft());
    say("Java", format("%s, %s", Runtime.version(), System.getProperty("java.home")));
    say(
        "system",
        format(
            "%s %s, %s; %s, %s for Java",
            System.getProperty("os.name"),
            System.getProperty("os.version"),
            NativeFiles.platform(),
            count(Runtime.getRuntime().availableProcessors(), "processor"),
            Amount.bytes(Runtime.getRuntime().maxMemory())));
    say("cache", cache());

    title("CPU");
    CpuLibrary.resources().forEach(this::resource);
    String wrong = open("cpu", Device::cpu);
    final boolean cpu = wrong == null;
    // what names a variable names the remedy
    if (wrong != null && !wrong.contains("WEFT_")) {
      advice("the libraries above belong to this program: build it again on this kind of machine");
    }

    title("CUDA");
    boolean complete = true;
    for (CudaLibraries.Found part : CudaLibraries.report()) {
      if (part.present()) {
        found(part.what(), format("%s (%s)", part.path(), part.how()));
      } else {
        missing(part.what(), part.how());
        advice(remedy(part.what()));
        complete = false;
      }
    }
    if (complete) {
      open("cuda:0", Device::cuda);
    } else {
      String rest = cpu ? "; training runs on the CPU" : "";
      missing("cuda:0", "not usable until all of the above is there" + rest);
    }
    return cpu ? Main.SUCCESS : Main.FAILURE;
  }

  private static String remedy(String what) {
    if (what.contains("libcuda")) {
      return format(
              "a machine with an NVIDIA GPU needs NVIDIA's driver%s; where it lies elsewhere, name"
                  + " its",
              driverFor())
          + " libcuda.so.1 in WEFT_CUDA_DRIVER";
    }
    if (what.contains("libcublas")) {
      return "install CUDA's cuBLAS (apt: libcublas-12-6, pip: nvidia-cublas-cu12), or name it in"
          + " WEFT_CUBLAS";
    }
    if (what.contains("kernels")) {
      return "build Weft where nvcc (CUDA 12 or newer) is on the PATH";
    }
    return "this file belongs to the program: build it again on this kind of machine";
  }

  /** A driver loads what compilers up to its own major release made. */
  private static String driverFor() {
    String toolkit = CudaLibraries.kernelsCompiledBy().orElse("");
    String version =
        switch (toolkit.replaceFirst("\\..*", "")) {
          case "12" -> "525 or newer";
          case "13" -> "580 or newer";
          default -> "";
        };
    return version.isEmpty()
        ? ""
        : format(", version %s: this build's kernels were compiled by CUDA %s", version, toolkit);
  }

  private static String cache() {
    try {
      return NativeFiles.cacheFolder().toString();
    } catch (UncheckedIOException e) {
      return Explanation.of(e);
    }
  }

  /** Says whether a device opens; returns what is wrong, or null. */
  private @Nullable String open(String name, Supplier<Device> opening) {
    try (Device device = opening.get()) {
      found(name, device.description());
      return null;
    } catch (DeviceException e) {
      String wrong = Explanation.of(e);
      missing(name, wrong);
      return wrong;
    }
  }

  private void resource(String resource) {
    String what = resource.substring(resource.lastIndexOf('/') + 1);
    try {
      Path file = NativeFiles.file(resource);
      if (file != null) {
        found(what, file.toString());
      } else {
        missing(what, resource + " is not on the class path");
      }
    } catch (UncheckedIOException e) {
      missing(what, Explanation.of(e));
    }
  }

  private void title(String text) {
    main.screen().out().printf(ROOT, "%n%s%n", text);
  }

  private void say(String what, String text) {
    main.screen().out().printf(ROOT, "%-8s %s%n", what, text);
  }

  private void found(String what, String text) {
    main.screen().out().printf(ROOT, "  ok       %s: %s%n", what, text);
  }

  private void missing(String what, String text) {
    main.screen().out().printf(ROOT, "  missing  %s: %s%n", what, text);
  }

  private void advice(String text) {
    main.screen().out().printf(ROOT, "           -> %s%n", text);
  }
}
