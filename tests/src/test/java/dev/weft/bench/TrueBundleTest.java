// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static dev.weft.format.Format.format;
import static java.util.stream.Collectors.toSet;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weft.ThirdParty;
import dev.weft.device.cuda.CudaLibraries;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What travels to a machine with a GPU: the archive of a bundle with bench, for one chip. */
@Tag("long")
@Timeout(value = 40, unit = TimeUnit.MINUTES)
class TrueBundleTest {
  private static final long MOST = 48 << 20;
  private static final Path ROOT = Path.of(System.getProperty("weft.root"));
  private static final String KERNELS = "dev/weft/native/kernels";

  @TempDir private static Path folder;
  private static Path bundle;
  private static Path archive;

  @BeforeAll
  static void makeBundle() throws Exception {
    assumeTrue(CudaLibraries.kernelsCompiledBy().isPresent(), "this build had no nvcc");
    // compiled elsewhere and put in front: the checkout, which is being tested, keeps its chips
    Path kernels = Files.createDirectories(folder.resolve("classes").resolve(KERNELS));
    assertEquals(Set.of("sm_75", "compute_75"), chips(compile("75")));
    Path built = compile("90");
    copy(built, kernels, "index.txt");
    for (String file : files(built)) {
      copy(built, kernels, file);
    }
    Path made = folder.resolve("made/weft-bundle");
    Files.createDirectory(made.getParent());
    Path chips = ROOT.resolve("java/core/target/native/native/cuda/archs.txt");
    run(
        Map.of(
            "WEFT_CUDA_ARCHS",
            Files.readString(chips).strip(),
            "WEFT_JAVA_OPTS",
            "-Xbootclasspath/a:" + folder.resolve("classes")),
        List.of(ROOT.resolve("weft").toString(), "bundle", "--with-bench", "--out", made + ""));
    archive = folder.resolve("weft-bundle.tar.gz");
    String parent = made.getParent().toString();
    run(Map.of(), List.of("tar", "-C", parent, "-czf", archive.toString(), "weft-bundle"));
    run(Map.of(), List.of("tar", "-C", folder.toString(), "-xzf", archive.toString()));
    bundle = folder.resolve("weft-bundle");
  }

  /** The kernels for some chips, compiled in the same folder each time. */
  private static Path compile(String chips) throws Exception {
    Path project = Files.createDirectories(folder.resolve("kernels"));
    Files.writeString(
        project.resolve("CMakeLists.txt"),
        format(
            """
            cmake_minimum_required(VERSION 3.22)
            project(kernels NONE)
            add_subdirectory("%s" cuda)
            """,
            ROOT.resolve("native/cuda")));
    Map<String, String> variables = Map.of("WEFT_CUDA_ARCHS", chips);
    Path built = project.resolve("built");
    run(variables, List.of("cmake", "-S", project.toString(), "-B", built.toString()));
    run(variables, List.of("cmake", "--build", built.toString()));
    return built.resolve("cuda");
  }

  private static List<String> files(Path kernels) throws Exception {
    List<String> lines = Files.readAllLines(kernels.resolve("index.txt"));
    return lines.subList(1, lines.size());
  }

  private static Set<String> chips(Path kernels) throws Exception {
    return files(kernels).stream().map(file -> file.replaceFirst("/.*", "")).collect(toSet());
  }

  private static void copy(Path from, Path to, String file) throws Exception {
    Files.createDirectories(to.resolve(file).getParent());
    Files.copy(from.resolve(file), to.resolve(file));
  }

  private static void run(Map<String, String> variables, List<String> command) throws Exception {
    ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
    builder.environment().putAll(variables);
    assertEquals(0, builder.start().waitFor(), command::toString);
  }

  @Test
  void theArchiveIsSmallAndHasOneChip() throws Exception {
    Path kernels = bundle.resolve("harness/kernels");
    // those of a checkout that is built for others, too, lie in it behind these
    if (files(ROOT.resolve("java/core/target/native/native/cuda")).size()
        <= files(kernels).size()) {
      assertTrue(Files.size(archive) <= MOST, Files.size(archive) + " bytes");
    }
    assertEquals(Set.of("sm_90", "compute_90"), chips(kernels));
    for (String file : files(kernels)) {
      byte[] compiled =
          Files.readAllBytes(folder.resolve("classes").resolve(KERNELS).resolve(file));
      assertArrayEquals(compiled, Files.readAllBytes(kernels.resolve(file)), file);
    }
    // Java's are the harness's
    assertTrue(Files.isSameFile(bundle.resolve("lib").resolve(KERNELS), kernels));
    try (JarFile natives = new JarFile(bundle.resolve("lib/natives.jar").toFile())) {
      assertTrue(natives.stream().noneMatch(entry -> entry.getName().startsWith(KERNELS)));
    }
  }

  @Test
  void everyLibraryInItIsNamedWithItsLicence() throws Exception {
    String list =
        Files.readString(bundle.resolve("THIRD-PARTY.txt"))
            + Files.readString(bundle.resolve("bench/THIRD-PARTY.txt"));
    List<String> libraries = new ArrayList<>();
    try (Stream<Path> jars = Files.list(bundle.resolve("lib"));
        JarFile natives = new JarFile(bundle.resolve("lib/natives.jar").toFile())) {
      jars.filter(Files::isRegularFile)
          .map(Path::toString)
          .filter(jar -> !jar.endsWith("/natives.jar"))
          .forEach(libraries::add);
      natives.stream().map(JarEntry::getName).forEach(libraries::add);
    }
    assertTrue(libraries.size() > 15, libraries::toString);
    assertEquals(List.of(), ThirdParty.unnamed(list, libraries));
    assertEquals(List.of(), ThirdParty.withoutText(list));
    // Java's own say theirs
    for (String file : List.of("LICENSE", "NOTICE", "java/legal/java.base/LICENSE")) {
      assertTrue(Files.size(bundle.resolve(file)) > 0, file);
    }
  }

  @Test
  void itsOwnScriptRunsAllOfItOverTheEmulatedDriver() throws Exception {
    call(
        "first",
        List.of(
            "harness-check",
            "harness-time",
            "train-cuda-1",
            "train-cuda-2",
            "train-streamed",
            "train-fast",
            "train-bf16",
            "train-cpu"));
    call("second", List.of("memcheck", "racecheck"));
  }

  private static void call(String name, List<String> passing) throws Exception {
    String[] made = Files.readString(bundle.resolve("weft-bundle.txt")).strip().split(", ");
    Script script =
        new Script(folder.resolve(name))
            .emulated()
            .of(archive, bundle.resolve("bench/gpu.sh"))
            .variable("WEFT_COMMIT", "")
            .variable("WEFT_GPU_SECONDS", "900"); // on two cores that others may use, too
    int code = script.start(name).waitFor();
    String all = String.join("\n", script.said());
    assertEquals(0, code, all);
    Map<String, Script.Row> rows = script.rows();
    assertTrue(rows.keySet().containsAll(passing), all);
    passing.forEach(row -> assertEquals("PASS", rows.get(row).verdict(), all));
    String first = script.summary().getFirst();
    // a checkout that is not of git has none
    String commit = made.length > 1 ? made[1] : "commit ?";
    assertTrue(first.contains(", " + commit + ", "), first);
  }
}
