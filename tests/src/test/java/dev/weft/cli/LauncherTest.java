// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.support.Beside;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * When {@code ./weft} builds, in a checkout of empty files with a Maven that only notes its call.
 */
@Beside
class LauncherTest {
  private static final String MAVEN =
      """
      #!/bin/sh
      while [ "$1" != -pl ]; do shift; done
      echo "$2 for '$WEFT_CUDA_ARCHS' and $WEFT_CPU_ISAS" >>builds.txt
      native=java/core/target/native/native
      mkdir -p java/cli/target bench/target $native/cuda $native/cpu
      echo "$WEFT_CUDA_ARCHS" >$native/cuda/archs.txt
      echo "$WEFT_CPU_ISAS" >$native/cpu/isas.txt
      """;

  @TempDir private Path folder;

  @BeforeEach
  void makeCheckout() throws IOException {
    Path launcher = Path.of(System.getProperty("weft.root"), "weft");
    program("weft", Files.readString(launcher));
    for (String sources :
        List.of(
            "native",
            ".mvn",
            "docs/licences",
            "docs/examples",
            "java/core/src",
            "java/report/src",
            "java/cli/src",
            "bench/src")) {
      Files.createDirectories(folder.resolve(sources));
    }
    for (String file :
        List.of("pom.xml", "CMakeLists.txt", "LICENSE", "NOTICE", "java/core/pom.xml")) {
      Files.writeString(folder.resolve(file), "");
    }
    Files.writeString(folder.resolve("java/report/pom.xml"), "");
    Files.writeString(folder.resolve("java/cli/pom.xml"), "");
    Files.writeString(folder.resolve("bench/pom.xml"), "");
    program("bin/mvn", MAVEN);
    program("bin/cmake", "#!/bin/sh\n");
    program("bin/g++", "#!/bin/sh\n");
    program("jdk/bin/javac", "#!/bin/sh\n");
    program("jdk/bin/java", "#!/bin/sh\n");
    Files.writeString(folder.resolve("jdk/release"), "JAVA_VERSION=\"25\"\n");
  }

  private void program(String name, String text) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
    assertTrue(file.toFile().setExecutable(true));
  }

  /** What was built by a call. */
  private List<String> builds(String chips, String... words) throws Exception {
    Path builds = folder.resolve("builds.txt");
    Files.deleteIfExists(builds);
    said(0, chips, words);
    return Files.exists(builds) ? Files.readAllLines(builds) : List.of();
  }

  /** What a call says that ends with a status. */
  private String said(int status, String chips, String... words) throws Exception {
    ProcessBuilder weft = new ProcessBuilder(folder.resolve("weft").toString());
    weft.command().addAll(List.of(words));
    Map<String, String> variables = new TreeMap<>(weft.environment());
    variables.put("JAVA_HOME", folder.resolve("jdk").toString());
    variables.put("PATH", folder.resolve("bin") + ":" + variables.get("PATH"));
    variables.remove("WEFT_CUDA_ARCHS");
    variables.remove("WEFT_CPU_ISAS");
    if (chips != null) {
      variables.put("WEFT_CUDA_ARCHS", chips);
    }
    weft.environment().clear();
    weft.environment().putAll(variables);
    Process process = weft.redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(status, process.waitFor(), said);
    return said;
  }

  @Test
  void otherChipsAreBuiltWhereTheyAreNamed() throws Exception {
    assertEquals(List.of("java/cli for '' and native"), builds(null, "doctor"));
    assertEquals(List.of("java/cli for '90' and native"), builds("90", "doctor"));
    assertEquals(List.of(), builds("90", "doctor"));
    assertEquals(List.of("java/cli for '80;90' and native"), builds("80;90", "doctor"));
    assertEquals(List.of(), builds(null, "doctor"), "what was built is good");
    assertEquals(List.of(), builds("", "doctor"), "an empty variable is none");
  }

  @Test
  void aBundleIsForAllChipsUnlessSomeAreNamed() throws Exception {
    assertEquals(List.of("java/cli for '90' and all"), builds("90", "bundle"));
    assertEquals(List.of("java/cli for 'all' and all"), builds(null, "bundle"));
    assertEquals(List.of(), builds(null, "bundle"));
    assertEquals(List.of(), builds(null, "doctor"));
    assertEquals(List.of("java/cli for 'native' and native"), builds("native", "doctor"));
  }

  @Test
  void benchmarksAreBuiltForTheSameChips() throws Exception {
    List<String> both = List.of("java/cli for '90' and all", "bench for '90' and all");
    assertEquals(List.of("bench for '' and native"), builds(null, "bench", "steps"));
    assertEquals(both, builds("90", "bundle", "--with-bench"));
    assertEquals(List.of(), builds("90", "bundle", "--with-bench"));
    assertEquals(List.of(), builds("90", "bench", "steps"));
  }

  @Test
  void whatMakesSourcesIsASource() throws Exception {
    assertEquals(1, builds(null, "doctor").size());
    assertEquals(List.of(), builds(null, "doctor"));
    Files.writeString(folder.resolve(".mvn/Contract.java"), "");
    assertEquals(1, builds(null, "doctor").size());
  }

  @Test
  void aBuildByHandForOtherChipsIsSeen() throws Exception {
    assertEquals(List.of("java/cli for '90' and native"), builds("90", "doctor"));
    Files.writeString(folder.resolve("java/core/target/native/native/cuda/archs.txt"), "\n");
    assertEquals(List.of(), builds(null, "doctor"));
    assertEquals(List.of("java/cli for '90' and native"), builds("90", "doctor"));
  }

  @Test
  void aBuildSaysHowFarItIsAndWhatIsWrong() throws Exception {
    List<String> errors =
        List.of(
            "/x/relu.cpp:3:5: error: expected ';'",
            "relu.cu(12): error: identifier \"y\" is undefined",
            "CMake Error at CMakeLists.txt:6 (nonsense):",
            "  Unknown CMake command \"nonsense\".",
            "CMake Error: the source directory does not exist",
            "relu.cpp:(.text+0x9): undefined reference to `weft::relu()'",
            "error: g++ is missing: sudo apt-get install g++");
    String exec = "[INFO]      [exec] ", javac = "/x/Relu.java:[3,4] ';' expected";
    Path log = folder.resolve("log.txt");
    Files.writeString(log, exec + String.join("\n" + exec, errors) + "\n[ERROR] " + javac + "\n");
    Path script = Path.of(System.getProperty("weft.root"), ".mvn/errors");
    program(".mvn/errors", Files.readString(script));
    program(
        "bin/mvn",
        "#!/bin/sh\necho '"
            + exec
            + "[12/80] Building native/cpu/x.o'; sleep 1\ncat log.txt; exit 1\n");
    String said = said(1, null, "doctor");
    assertTrue(said.contains("weft: building: kernels for the CPU 12 of 80\n"), said);
    for (String line : errors) {
      assertTrue(said.contains("\n" + line + "\n"), () -> "no '" + line + "' in: " + said);
    }
    assertTrue(said.contains("\n" + javac + "\n"), said);
    assertTrue(said.contains("weft: the build failed; all of it: "), said);
  }
}
