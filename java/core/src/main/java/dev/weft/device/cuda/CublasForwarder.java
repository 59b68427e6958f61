// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cuda;

import static dev.weft.format.Format.format;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.weft.device.NativeFiles;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Weft's own {@code libcublas.so.12}, which hands every call on to a {@code libcublas.so.13}:
 * JCublas is linked against cuBLAS 12, and newer machines have only 13.
 */
final class CublasForwarder {
  /** The library, as a resource of the class path. */
  static final String RESOURCE = "dev/weft/native/" + NativeFiles.platform() + "/libcublas.so.12";

  private static boolean loaded;

  private CublasForwarder() {}

  /** Whether the library is in this process, even if no cuBLAS 13 could be put behind it. */
  static synchronized boolean isLoaded() {
    return loaded;
  }

  /**
   * Loads the forwarding library and points it at a cuBLAS 13.
   *
   * @return why it could not be done; null where it was done
   */
  static synchronized @Nullable String load(Path cublas13) {
    Path file;
    try {
      file = NativeFiles.file(RESOURCE);
    } catch (UncheckedIOException e) {
      return e.getMessage();
    }
    if (file == null) {
      return format(
          "%s is there, but this build of Weft has no %s, which JCuda needs over it",
          cublas13, RESOURCE);
    }
    LibrarySearch search = new LibrarySearch();
    if (search.loadNamed(file) == null) {
      return search.account();
    }
    loaded = true;
    SymbolLookup symbols = SymbolLookup.libraryLookup(file, Arena.global());
    try (Arena arena = Arena.ofConfined()) {
      int usable =
          (int)
              Linker.nativeLinker()
                  .downcallHandle(
                      symbols.findOrThrow("weft_cublas12_target"),
                      FunctionDescriptor.of(JAVA_INT, ADDRESS))
                  .invokeExact(arena.allocateFrom(cublas13.toString()));
      return usable != 0 ? null : format("%s is not usable: %s", cublas13, error(symbols));
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private static String error(SymbolLookup symbols) throws Throwable {
    MemorySegment text =
        (MemorySegment)
            Linker.nativeLinker()
                .downcallHandle(
                    symbols.findOrThrow("weft_cublas12_error"), FunctionDescriptor.of(ADDRESS))
                .invokeExact();
    return text.reinterpret(Long.MAX_VALUE).getString(0);
  }
}
