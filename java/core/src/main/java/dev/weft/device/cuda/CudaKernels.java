// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cuda;

import static dev.weft.format.Format.format;
import static jcuda.driver.CUresult.CUDA_ERROR_INVALID_IMAGE;
import static jcuda.driver.CUresult.CUDA_ERROR_INVALID_PTX;
import static jcuda.driver.CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU;
import static jcuda.driver.CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION;
import static jcuda.driver.CUresult.CUDA_SUCCESS;

import dev.weft.device.Arguments;
import dev.weft.device.Closing;
import dev.weft.device.Contract;
import dev.weft.device.DeviceException;
import dev.weft.device.DeviceUnavailableException;
import dev.weft.device.Kernel;
import dev.weft.device.NativeFiles;
import dev.weft.device.Precision;
import dev.weft.device.Slots;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;

/**
 * The kernels of the fatbin on one device, and the one block of memory that each launch is told by.
 */
final class CudaKernels implements AutoCloseable {
  /** The compiled kernels, as a resource of the class path. */
  static final String FATBIN = "dev/weft/native/weft_kernels.fatbin";

  private static final Pattern RELEASE =
      Pattern.compile("Cuda compilation tools, release (\\d+\\.\\d+)");

  private static final String NO_KERNELS =
      "this build of Weft has no CUDA kernels ("
          + FATBIN
          + " is not on the class path): build it where nvcc of the CUDA toolkit is on the PATH";

  // the driver reads an array of pointers, one a parameter; ours are one struct, right behind it
  private static final long STRUCT_OFFSET = 64;
  private static final long STRUCT_BYTES = 256;

  private final CudaDriver driver;
  private final Contract contract;
  private final Arena arena = Arena.ofShared();
  private final CUmodule module = new CUmodule();
  private final CUfunction[][] functions =
      new CUfunction[Kernel.values().length][Precision.values().length];
  private final MemorySegment struct;
  private final HostAddress parameters;
  private final Slots slots = new Slots();
  private boolean loaded;

  /** Loads the fatbin and looks every kernel of the contract up, so that none is missed later. */
  CudaKernels(CudaDriver driver, Contract contract) {
    this.driver = driver;
    this.contract = contract;
    MemorySegment launch = arena.allocate(STRUCT_OFFSET + STRUCT_BYTES, 64);
    struct = launch.asSlice(STRUCT_OFFSET);
    launch.set(ValueLayout.JAVA_LONG, 0, struct.address());
    parameters = new HostAddress(launch.address());
    try {
      load();
      findFunctions();
    } catch (RuntimeException e) {
      Closing.after(e, this::close);
      throw e;
    }
  }

  private void load() {
    byte[] fatbin = fatbin();
    if (fatbin == null && !CudaLibraries.driverIsNamed()) {
      throw new DeviceUnavailableException(NO_KERNELS);
    }
    // a driver that was named outright may bring the kernels itself: the emulator of the tests does
    MemorySegment image = arena.allocate(fatbin == null ? 64 : fatbin.length, 64);
    if (fatbin != null) {
      MemorySegment.copy(fatbin, 0, image, ValueLayout.JAVA_BYTE, 0, fatbin.length);
    }
    int code = driver.loadModule(module, image);
    if (code == CUDA_SUCCESS) {
      loaded = true;
      return;
    }
    String old = fatbin == null ? null : olderDriver(toolkit(fatbin), driver.version());
    if (old != null) {
      CudaException cause = driver.failure(code, "cuModuleLoadDataEx", "of " + FATBIN);
      throw new DeviceUnavailableException(driver.device() + ": " + old, cause);
    }
    CudaException failure = driver.failure(code, "cuModuleLoadDataEx", "of " + FATBIN);
    throw switch (code) {
      case CUDA_ERROR_INVALID_IMAGE, CUDA_ERROR_INVALID_PTX ->
          fatbin == null ? new DeviceUnavailableException(NO_KERNELS, failure) : failure;
      case CUDA_ERROR_NO_BINARY_FOR_GPU, CUDA_ERROR_UNSUPPORTED_PTX_VERSION ->
          new DeviceUnavailableException(
              format(
                  "the kernels of this build do not run on %s (%s, sm_%d, driver for CUDA %d.%d):"
                      + " a newer driver, or a build for that chip, is needed",
                  driver.device(),
                  driver.model(),
                  driver.capability(),
                  driver.version() / 1000,
                  driver.version() % 1000 / 10),
              failure);
      default -> failure;
    };
  }

  /** The CUDA release that compiled the kernels of this build; empty where it has none. */
  static Optional<String> toolkit() {
    return Optional.ofNullable(fatbin()).map(CudaKernels::toolkit);
  }

  /** The CUDA release that compiled the kernels, such as 13.0; null where the file does not say. */
  static String toolkit(byte[] fatbin) {
    // nvcc writes it into every image, and ISO 8859-1 keeps each byte a character
    String text = new String(fatbin, StandardCharsets.ISO_8859_1);
    Matcher release = RELEASE.matcher(text);
    return release.find() ? release.group(1) : null;
  }

  /**
   * What to tell the user where the driver is for a CUDA before the one that compiled the kernels:
   * a driver loads what compilers up to its own major release made. Null where it is not.
   */
  static String olderDriver(String toolkit, int driver) {
    if (toolkit == null || driver / 1000 >= Integer.parseInt(toolkit.replaceFirst("\\..*", ""))) {
      return null;
    }
    return format(
        "the kernels of this build were compiled by CUDA %s, and the driver is for CUDA %d.%d,"
            + " which cannot load them: install a driver for CUDA %s or newer, or build Weft"
            + " with the nvcc of CUDA %d",
        toolkit,
        driver / 1000,
        driver % 1000 / 10,
        toolkit.replaceFirst("\\..*", ""),
        driver / 1000);
  }

  private static byte[] fatbin() {
    try (InputStream in = NativeFiles.open(FATBIN)) {
      return in == null ? null : in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + FATBIN, e);
    }
  }

  private void findFunctions() {
    for (Kernel kernel : Kernel.values()) {
      if (kernel.kind() == Kernel.Kind.LIBRARY) {
        continue;
      }
      for (Precision precision : Precision.values()) {
        if (!kernel.exists(precision)) {
          continue;
        }
        String symbol = kernel.symbol(precision);
        CUfunction function = driver.function(module, symbol);
        if (function == null) {
          throw new DeviceException(
              format(
                  "%s has no kernel %s; build the library and its kernels from the same sources",
                  FATBIN, symbol));
        }
        functions[kernel.ordinal()][precision.ordinal()] = function;
      }
    }
  }

  /** Queues a kernel, or adds it to the capture. */
  void launch(Kernel kernel, Precision precision, Arguments arguments) {
    Contract.Entry entry = contract.entry(kernel, precision);
    long work = arguments.work();
    long blocks = work / entry.items() + (work % entry.items() == 0 ? 0 : 1);
    if (work < 0 || blocks > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          format(
              "%s: %s takes at most %d blocks, and %d work items are %d",
              driver.device(), entry.symbol(), Integer.MAX_VALUE, work, blocks));
    }
    arguments.write(slots.into(struct));
    CUfunction function = functions[kernel.ordinal()][precision.ordinal()];
    driver.launch(function, entry.symbol(), (int) blocks, entry.threads(), parameters);
  }

  @Override
  public void close() {
    Closing closing = new Closing();
    if (loaded) {
      loaded = false;
      closing.run(() -> driver.unloadModule(module));
    }
    if (arena.scope().isAlive()) {
      arena.close();
    }
    closing.finish();
  }
}
