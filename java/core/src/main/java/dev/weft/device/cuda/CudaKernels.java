// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cuda;

import static dev.weft.format.Format.format;
import static jcuda.driver.CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU;
import static jcuda.driver.CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION;
import static jcuda.driver.CUresult.CUDA_SUCCESS;

import dev.weft.device.Arguments;
import dev.weft.device.Closing;
import dev.weft.device.Contract;
import dev.weft.device.DeviceException;
import dev.weft.device.DeviceUnavailableException;
import dev.weft.device.Kernel;
import dev.weft.device.Precision;
import dev.weft.device.Slots;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;

/** The kernels on one device, and the one block of memory that each launch is told by. */
final class CudaKernels implements AutoCloseable {
  // the driver reads an array of pointers, one a parameter; ours are one struct, right behind it
  private static final long STRUCT_OFFSET = 64;
  private static final long STRUCT_BYTES = 256;

  private final CudaDriver driver;
  private final Contract contract;
  private final Arena arena = Arena.ofShared();
  private final List<CUmodule> modules = new ArrayList<>();
  private final CUfunction[][] functions =
      new CUfunction[Kernel.values().length][Precision.values().length];
  private final MemorySegment struct;
  private final HostAddress parameters;
  private final Slots slots = new Slots();

  /**
   * Loads the modules for the chip and looks every kernel of the contract up, so that none is
   * missed later.
   */
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
    KernelImages images = KernelImages.read();
    int chip = driver.capability();
    List<String> files = images.filesFor(chip);
    if (!files.isEmpty()) {
      for (String file : files) {
        load(images, chip, file, KernelImages.content(file));
      }
    } else if (CudaLibraries.driverIsNamed()) {
      // one that was named outright may bring the kernels itself: the emulator of the tests does
      load(images, chip, "no kernels", new byte[64]);
    } else {
      throw new DeviceUnavailableException(
          driver.device() + ": " + images.refusal(chip, driver.version()));
    }
  }

  private void load(KernelImages images, int chip, String file, byte[] content) {
    // the zero behind it ends PTX
    MemorySegment image = arena.allocate(content.length + 1, 64);
    MemorySegment.copy(content, 0, image, ValueLayout.JAVA_BYTE, 0, content.length);
    CUmodule module = new CUmodule();
    int code = driver.loadModule(module, image);
    if (code == CUDA_SUCCESS) {
      modules.add(module);
      return;
    }
    CudaException failure = driver.failure(code, "cuModuleLoadDataEx", "of " + file);
    String refusal = images.refusal(chip, driver.version());
    if (refusal != null) {
      throw new DeviceUnavailableException(driver.device() + ": " + refusal, failure);
    }
    throw switch (code) {
      case CUDA_ERROR_NO_BINARY_FOR_GPU, CUDA_ERROR_UNSUPPORTED_PTX_VERSION ->
          new DeviceUnavailableException(
              format(
                  "the kernels of this build (%s) do not run on %s (%s, sm_%d, driver for CUDA"
                      + " %d.%d): a newer driver, or a build with WEFT_CUDA_ARCHS=%d, is needed",
                  images,
                  driver.device(),
                  driver.model(),
                  chip,
                  driver.version() / 1000,
                  driver.version() % 1000 / 10,
                  chip),
              failure);
      default -> failure;
    };
  }

  private void findFunctions() {
    for (Kernel kernel : Kernel.values()) {
      if (!kernel.hasMachineCode()) {
        continue;
      }
      for (Precision precision : Precision.values()) {
        if (!kernel.exists(precision)) {
          continue;
        }
        String symbol = kernel.symbol(precision);
        functions[kernel.ordinal()][precision.ordinal()] =
            modules.stream()
                .map(module -> driver.function(module, symbol))
                .filter(Objects::nonNull)
                .findFirst()
                .orElseThrow(
                    () ->
                        new DeviceException(
                            format(
                                "no module has the kernel %s; build the library and its kernels"
                                    + " from the same sources",
                                symbol)));
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
    modules.forEach(module -> closing.run(() -> driver.unloadModule(module)));
    modules.clear();
    if (arena.scope().isAlive()) {
      arena.close();
    }
    closing.finish();
  }
}
