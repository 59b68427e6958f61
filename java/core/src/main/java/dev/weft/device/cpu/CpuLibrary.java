// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cpu;

import static dev.weft.format.Format.format;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.weft.device.Contract;
import dev.weft.device.DeviceUnavailableException;
import dev.weft.device.NativeFiles;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code libweft_cpu.so}: the one class that calls the CPU library. */
public final class CpuLibrary {
  private static final String WEFT =
      "dev/weft/native/" + NativeFiles.platform() + "/libweft_cpu.so";
  private static final String MAKERS = "org/bytedeco/dnnl/" + NativeFiles.platform() + "/";
  private static final String OPENMP = MAKERS + "libgomp.so.1";
  private static final String ONEDNN = MAKERS + "libdnnl.so.3";

  private static @Nullable CpuLibrary loaded;

  private final MethodHandle run;
  private final MethodHandle runTimed;
  private final MethodHandle error;
  private final MethodHandle allocate;
  private final MethodHandle free;
  private final MethodHandle open;
  private final MethodHandle close;
  private final MethodHandle disturb;
  private final MethodHandle isa;
  private final Contract contract;

  private CpuLibrary() {
    // libweft_cpu needs libdnnl, which needs libgomp: loaded in this order the names resolve
    // wherever the files lie
    open(OPENMP);
    open(ONEDNN);
    Path file = file(WEFT);
    SymbolLookup symbols = load(file);
    run =
        call(
            symbols,
            "weft_run",
            FunctionDescriptor.of(JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_DOUBLE));
    runTimed =
        call(
            symbols,
            "weft_run_timed",
            FunctionDescriptor.of(JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS));
    error = call(symbols, "weft_error", FunctionDescriptor.of(ADDRESS));
    allocate = call(symbols, "weft_allocate", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG));
    free = call(symbols, "weft_free", FunctionDescriptor.ofVoid(JAVA_LONG));
    open = call(symbols, "weft_open", FunctionDescriptor.ofVoid());
    close = call(symbols, "weft_close", FunctionDescriptor.ofVoid());
    disturb = call(symbols, "weft_disturb", FunctionDescriptor.ofVoid(JAVA_LONG));
    isa = call(symbols, "weft_isa", FunctionDescriptor.of(ADDRESS));
    MethodHandle table = call(symbols, "weft_abi_table", FunctionDescriptor.of(ADDRESS));
    if (isa().isEmpty()) {
      throw new DeviceUnavailableException(error());
    }
    contract = new Contract(text(table), file.toString());
  }

  /** The files that the CPU needs, as resources of the class path, in the order they load. */
  public static List<String> resources() {
    return List.of(OPENMP, ONEDNN, WEFT);
  }

  /**
   * The library, loaded at the first call; after a failure the next call tries again.
   *
   * @throws DeviceUnavailableException where a file is missing or cannot be loaded
   */
  public static synchronized CpuLibrary get() {
    if (loaded == null) {
      try {
        loaded = new CpuLibrary();
      } catch (UncheckedIOException e) {
        throw new DeviceUnavailableException("the CPU library does not load: " + e.getMessage(), e);
      }
    }
    return loaded;
  }

  private static void open(String resource) {
    load(file(resource));
  }

  private static Path file(String resource) {
    Path file = NativeFiles.file(resource);
    if (file == null) {
      throw new DeviceUnavailableException(
          format(
              "no %s on the class path: this build of Weft has no native code for %s",
              resource, NativeFiles.platform()));
    }
    return file;
  }

  private static SymbolLookup load(Path file) {
    try {
      // System.load leaves the loader's own words in the message; libraryLookup does not
      System.load(file.toAbsolutePath().toString());
      return SymbolLookup.libraryLookup(file, Arena.global());
    } catch (UnsatisfiedLinkError | IllegalArgumentException e) {
      throw new DeviceUnavailableException(
          format(
              "cannot load %s: %s",
              file, NativeFiles.whyNotLoaded(file, String.valueOf(e.getMessage()))),
          e);
    }
  }

  private static MethodHandle call(SymbolLookup symbols, String name, FunctionDescriptor shape) {
    MemorySegment address =
        symbols
            .find(name)
            .orElseThrow(() -> new DeviceUnavailableException("libweft_cpu.so has no " + name));
    return Linker.nativeLinker().downcallHandle(address, shape);
  }

  /**
   * Runs {@code count} records on at most {@code threads}; 0, or k + 1 where record k failed.
   *
   * @param pace what earlier runs have shown, see {@link Paces}
   * @param work how much it is, where the records are not always the same
   */
  long run(MemorySegment records, long count, long threads, MemorySegment pace, double work) {
    try {
      return (long) run.invokeExact(records, count, threads, pace, work);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** The same, and the clock before each record and after the last: count + 1 nanoseconds. */
  long runTimed(
      MemorySegment records,
      long count,
      long threads,
      MemorySegment pace,
      MemorySegment nanoseconds) {
    try {
      return (long) runTimed.invokeExact(records, count, threads, pace, nanoseconds);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** Takes 64-byte aligned memory; 0 where there is none. */
  long allocate(long bytes) {
    try {
      return (long) allocate.invokeExact(bytes);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** Gives memory back. */
  void free(long address) {
    try {
      free.invokeExact(address);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** Before records are run: the threads that compute live until as many closed as opened. */
  void open() {
    try {
      open.invokeExact();
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** The other end of {@link #open()}. */
  void close() {
    try {
      close.invokeExact();
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /**
   * For tests: every loop on all threads that it may have, and a nap of a length drawn from this
   * seed before each of its blocks; 0 ends it.
   */
  public void disturb(long seed) {
    try {
      disturb.invokeExact(seed);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** The instruction set in use: avx512, avx2 or baseline. */
  public String isa() {
    return text(isa);
  }

  /** The last failure on this thread. */
  String error() {
    return text(error);
  }

  /** Kernels, structs and launch shapes as the native side knows them. */
  public Contract contract() {
    return contract;
  }

  private static String text(MethodHandle source) {
    try {
      MemorySegment text = (MemorySegment) source.invokeExact();
      return text.address() == 0 ? "" : text.reinterpret(Long.MAX_VALUE).getString(0);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }
}
