// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.weft.support.Emulator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a user reads where the driver or cuBLAS is missing, each in a process of its own. */
class CudaLibrariesTest {
  private static final String UNAVAILABLE =
      "DeviceUnavailableException: CUDA was asked for, but there is no usable ";

  @TempDir Path folder;

  private static ChildJvm cuda() {
    return new ChildJvm(CudaProgramMain.class);
  }

  private static ChildJvm emulatedDriver() {
    Emulator.require();
    return cuda().property("weft.cuda.driver", Emulator.folder().resolve("libcuda.so.1"));
  }

  private static void assertSays(String said, String... words) {
    for (String word : words) {
      assertTrue(said.contains(word), () -> "'" + word + "' is not in: " + said);
    }
  }

  private Path noLibrary(String name) throws IOException {
    return Files.writeString(folder.resolve(name), "This is no library.\n".repeat(10));
  }

  @Test
  void missingDriverSaysWhereItWasSought() {
    String said = cuda().run();
    assumeFalse(said.contains("found NVIDIA driver"), "this machine has an NVIDIA driver");
    assertSays(
        said,
        UNAVAILABLE + "NVIDIA driver (libcuda.so.1): looked in the loader's path, ",
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/wsl/lib",
        "missing NVIDIA driver (libcuda.so.1)");
  }

  @Test
  void namedDriverThatIsNotThere() {
    Path absent = folder.resolve("libcuda.so.1");
    assertSays(
        cuda().variable("WEFT_CUDA_DRIVER", absent).run(),
        UNAVAILABLE + "NVIDIA driver (libcuda.so.1): " + absent + " was named and is not there");
  }

  @Test
  void propertyGoesBeforeVariable() {
    Path absent = folder.resolve("libcuda.so.1");
    assertSays(
        cuda().variable("WEFT_CUDA_DRIVER", "/other").property("weft.cuda.driver", absent).run(),
        absent + " was named and is not there");
  }

  @Test
  void namedDriverThatIsNoLibrary() throws IOException {
    Path text = noLibrary("libcuda.so.1");
    assertSays(
        cuda().variable("WEFT_CUDA_DRIVER", text).run(),
        UNAVAILABLE + "NVIDIA driver (libcuda.so.1): " + text + " does not load: ",
        "invalid ELF header");
  }

  @Test
  void missingCublasSaysWhereItWasSought() throws IOException {
    Path libraries = Files.createDirectories(folder.resolve("lib64"));
    String said = emulatedDriver().variable("CUDA_HOME", folder).run();
    assumeFalse(said.contains("found cuBLAS"), "this machine has cuBLAS");
    assertSays(
        said,
        UNAVAILABLE + "cuBLAS (libcublas.so.12 or libcublas.so.13): looked in the loader's path, ",
        libraries.toString(),
        "Python's nvidia/*/lib folders under",
        "WEFT_CUBLAS can name the file",
        "found NVIDIA driver (libcuda.so.1) - named",
        "missing cuBLAS");
  }

  @Test
  void namedCublasThatIsNotThereOrNoLibrary() throws IOException {
    Path absent = folder.resolve("absent.so");
    assertSays(
        emulatedDriver().variable("WEFT_CUBLAS", absent).run(),
        UNAVAILABLE + "cuBLAS (libcublas.so.12): " + absent + " was named and is not there");
    Path text = noLibrary("libcublas.so.12");
    assertSays(
        emulatedDriver().property("weft.cublas", text).run(),
        UNAVAILABLE + "cuBLAS (libcublas.so.12): " + text + " does not load: ");
  }

  @Test
  void cublasIsFoundInTheToolkit() throws IOException {
    Path libraries = Files.createDirectories(folder.resolve("lib64"));
    Emulator.require();
    Files.copy(Emulator.folder().resolve("libcublas.so.12"), libraries.resolve("libcublas.so.12"));
    String said = emulatedDriver().variable("CUDA_HOME", folder).run();
    assumeFalse(said.contains("loader path"), "the loader finds a cuBLAS by itself");
    assertSays(
        said,
        "products agree",
        "found cuBLAS (libcublas.so.12) - found in " + libraries,
        "found JCuda",
        "found forwarding library for cuBLAS 13");
  }
}
