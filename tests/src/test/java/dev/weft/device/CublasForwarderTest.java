// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.weft.device.cuda.CudaLibraries;
import dev.weft.support.Beside;
import dev.weft.support.Emulator;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * JCublas, which needs cuBLAS 12, over a cuBLAS 13: the emulator's under that name, behind Weft's
 * forwarding {@code libcublas.so.12}. Each test has a process of its own.
 */
@Beside
class CublasForwarderTest {
  private static final String FORWARDER =
      "dev/weft/native/" + NativeFiles.platform() + "/libcublas.so.12";

  private static final String JCUBLAS =
      CudaLibraries.resources().stream()
          .filter(name -> name.contains("JCublas2"))
          .findFirst()
          .orElseThrow();

  private static Path driver;
  private static Path cublas13;

  @TempDir Path folder;

  @BeforeAll
  static void require() {
    Emulator.require();
    driver = Emulator.folder().resolve("libcuda.so.1");
    cublas13 = Emulator.folder().resolve("cuda13/libcublas.so.13");
  }

  private static ChildJvm cuda() {
    return new ChildJvm(CudaProgramMain.class).property("weft.cuda.driver", driver);
  }

  private static void assertSays(String said, String... words) {
    for (String word : words) {
      assertTrue(said.contains(word), () -> "'" + word + "' is not in: " + said);
    }
  }

  @Test
  void namedCublas13Works() {
    String said = cuda().variable("WEFT_CUBLAS", cublas13).run();
    assertSays(
        said,
        "cuBLAS 13.0.0",
        "products agree",
        "found cuBLAS (libcublas.so.13) - named, behind Weft's libcublas.so.12");
  }

  /** Also where the loader binds all functions of a library at once. */
  @Test
  void cublas13OfTheToolkitWorks() throws IOException {
    Path libraries = Files.createDirectories(folder.resolve("lib64"));
    Files.copy(cublas13, libraries.resolve("libcublas.so.13"));
    String said = cuda().variable("CUDA_HOME", folder).variable("LD_BIND_NOW", 1).run();
    assumeFalse(said.contains("found cuBLAS (libcublas.so.12)"), "this machine has cuBLAS 12");
    assertSays(said, "products agree", "found in " + libraries + ", behind Weft's libcublas.so.12");
  }

  @Test
  void cublas13ThatLacksAFunctionIsRefused() throws IOException {
    Path wrong = folder.resolve("libcublas.so.13");
    Files.copy(driver, wrong); // a library, and no cuBLAS
    assertSays(
        cuda().variable("WEFT_CUBLAS", wrong).run(),
        "DeviceUnavailableException: CUDA was asked for, but there is no usable cuBLAS"
            + " (libcublas.so.13): "
            + wrong
            + " is not usable: ",
        "undefined symbol: cublasCreate_v2");
  }

  @Test
  void cublas13ThatIsAbsentOrNoLibraryIsRefused() throws IOException {
    Path file = folder.resolve("libcublas.so.13");
    assertSays(cuda().variable("WEFT_CUBLAS", file).run(), file + " was named and is not there");
    Files.writeString(file, "This is no library.\n".repeat(10));
    assertSays(
        cuda().variable("WEFT_CUBLAS", file).run(),
        file + " does not load: ",
        "invalid ELF header");
  }

  @Test
  void withoutATargetCallsFailAndTheFirstGoodOneStays() {
    assertSays(
        new ChildJvm(Forwarder.class)
            .run(
                driver.toString(),
                folder.resolve("other.so").toString(),
                cublas13.toString(),
                NativeFiles.file(JCUBLAS).toString()),
        "before: status 1, version 0",
        "absent: 0, " + folder.resolve("other.so") + ": cannot open",
        "target: 1",
        "after: status 0, version 130000",
        "again: 1",
        "all at once: null",
        "cublasSscal_v2: status 15",
        "weft: cublasSscal_v2 is not handed on to cuBLAS 13");
  }

  /** Calls the forwarding library as C does: arguments are the driver and targets to name. */
  static final class Forwarder {
    private static final Arena ARENA = Arena.global();
    private static final int RTLD_NOW = 2;

    private static SymbolLookup library;

    private Forwarder() {}

    public static void main(String[] arguments) throws Throwable {
      SymbolLookup.libraryLookup(Path.of(arguments[0]), ARENA);
      library = SymbolLookup.libraryLookup(NativeFiles.file(FORWARDER), ARENA);
      state("before");
      System.out.println("absent: " + target(arguments[1]) + ", " + text("weft_cublas12_error"));
      System.out.println("target: " + target(arguments[2]));
      state("after");
      System.out.println("again: " + target(arguments[1]));
      System.out.println("all at once: " + bind(arguments[3]));
      System.out.printf(
          "cublasSscal_v2: status %d%n",
          (int) handle("cublasSscal_v2", FunctionDescriptor.of(JAVA_INT)).invoke());
    }

    private static void state(String when) throws Throwable {
      MemorySegment version = ARENA.allocate(4);
      int status =
          (int)
              handle("cublasGetVersion_v2", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS))
                  .invoke(MemorySegment.NULL, version);
      System.out.printf("%s: status %d, version %d%n", when, status, version.get(JAVA_INT, 0));
    }

    /** What the loader says where it binds all symbols of a library, as under LD_BIND_NOW. */
    private static String bind(String path) throws Throwable {
      Linker linker = Linker.nativeLinker();
      SymbolLookup loader = linker.defaultLookup();
      MemorySegment loaded =
          (MemorySegment)
              linker
                  .downcallHandle(
                      loader.findOrThrow("dlopen"),
                      FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_INT))
                  .invoke(ARENA.allocateFrom(path), RTLD_NOW);
      MemorySegment said =
          (MemorySegment)
              linker
                  .downcallHandle(loader.findOrThrow("dlerror"), FunctionDescriptor.of(ADDRESS))
                  .invoke();
      return loaded.address() != 0 ? null : said.reinterpret(Long.MAX_VALUE).getString(0);
    }

    private static int target(String path) throws Throwable {
      return (int)
          handle("weft_cublas12_target", FunctionDescriptor.of(JAVA_INT, ADDRESS))
              .invoke(ARENA.allocateFrom(path));
    }

    private static String text(String function) throws Throwable {
      MemorySegment text =
          (MemorySegment) handle(function, FunctionDescriptor.of(ADDRESS)).invoke();
      return text.reinterpret(Long.MAX_VALUE).getString(0);
    }

    private static MethodHandle handle(String name, FunctionDescriptor shape) {
      return Linker.nativeLinker().downcallHandle(library.findOrThrow(name), shape);
    }
  }
}
