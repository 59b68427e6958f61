// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weft.device.cuda.CudaLibraries;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How CUDA kernels are compiled, by the project's own CMake file over kernels of three lines. */
@Tag("long")
class KernelBuildTest {
  private static final Pattern COMPILED = Pattern.compile("(\\w+\\.cu for sm_\\d+)(?!\\d|:)");
  private static final String KERNEL = "extern \"C\" __global__ void NAME(float* y) { *y = 1; }\n";

  /** An array that is indexed by what is not known when compiled. */
  private static final String STACKED =
      """
      extern "C" __global__ void b(float* y, int i, int n) {
        float a[64];
        for (int j = 0; j < n; j++) a[j * i & 63] = y[j] * j;
        *y = a[i & 63] + a[n & 63];
      }
      """;

  @TempDir private Path folder;

  @BeforeEach
  void begin() throws IOException, InterruptedException {
    assumeTrue(CudaLibraries.kernelsCompiledBy().isPresent(), "this build had no nvcc");
    Path cuda = Files.createDirectory(folder.resolve("cuda"));
    Path lists = Path.of(System.getProperty("weft.root"), "native/cuda/CMakeLists.txt");
    Files.copy(lists, cuda.resolve("CMakeLists.txt"));
    write(
        "CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.22)\nproject(k NONE)\nadd_subdirectory(cuda)\n");
    write("cuda/one.cuh", "\n");
    write("cuda/a.cu", "#include \"one.cuh\"\n" + KERNEL.replace("NAME", "a"));
    write("cuda/b.cu", KERNEL.replace("NAME", "b"));
    configure("80;90");
    assertEquals(
        Set.of("a.cu for sm_80", "a.cu for sm_90", "b.cu for sm_80", "b.cu for sm_90"), built());
    assertEquals(Set.of(), built());
  }

  private void write(String name, String text) throws IOException {
    Files.writeString(folder.resolve(name), text);
  }

  private void configure(String chips) throws IOException, InterruptedException {
    ProcessBuilder cmake = new ProcessBuilder("cmake", "-S", ".", "-B", "built");
    cmake.environment().put("WEFT_CUDA_ARCHS", chips);
    assertEquals(0, cmake.directory(folder.toFile()).inheritIO().start().waitFor());
  }

  private String build(boolean succeeds) throws IOException, InterruptedException {
    Process build =
        new ProcessBuilder("cmake", "--build", "built", "-j2")
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .start();
    String said = new String(build.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(succeeds, build.waitFor() == 0, said);
    return said;
  }

  /** What a build that succeeds compiles. */
  private Set<String> built() throws IOException, InterruptedException {
    Set<String> compiled = new TreeSet<>();
    COMPILED.matcher(build(true)).results().map(MatchResult::group).forEach(compiled::add);
    return compiled;
  }

  @Test
  void whatChangedIsCompiledAlone() throws IOException, InterruptedException {
    write("cuda/b.cu", KERNEL.replace("NAME", "c"));
    assertEquals(Set.of("b.cu for sm_80", "b.cu for sm_90"), built());
    write("cuda/one.cuh", "\n\n");
    assertEquals(Set.of("a.cu for sm_80", "a.cu for sm_90"), built());
    configure("75;90");
    assertEquals(Set.of("a.cu for sm_75", "b.cu for sm_75"), built());
    assertEquals(
        List.of(
            "sm_75/a.cubin",
            "sm_75/b.cubin",
            "sm_90/a.cubin",
            "compute_90/a.ptx",
            "sm_90/b.cubin",
            "compute_90/b.ptx"),
        Files.readAllLines(folder.resolve("built/cuda/index.txt")).stream().skip(1).toList());
  }

  @Test
  void chipsOfTheSameInstructionsShareTheirPtx() throws IOException, InterruptedException {
    configure("80;86;89");
    assertEquals(
        Set.of("a.cu for sm_86", "a.cu for sm_89", "b.cu for sm_86", "b.cu for sm_89"), built());
    assertTrue(Files.exists(folder.resolve("built/cuda/compute_80/a.ptx")));
    assertTrue(Files.notExists(folder.resolve("built/cuda/compute_86")));
  }

  @Test
  void anArrayInMemoryFailsTheBuildUntilItIsGone() throws IOException, InterruptedException {
    write("cuda/b.cu", STACKED);
    for (int turn = 0; turn < 2; turn++) {
      String said = build(false);
      assertTrue(said.matches("(?s).*b\\.cu for sm_[89]0: error: Local memory used.*"), said);
    }
    write("cuda/b.cu", KERNEL.replace("NAME", "b"));
    assertEquals(Set.of("b.cu for sm_80", "b.cu for sm_90"), built());
  }
}
