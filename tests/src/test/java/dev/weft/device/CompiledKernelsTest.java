// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weft.bench.sass.ChipCode;
import dev.weft.bench.sass.Cubin;
import dev.weft.support.Emulator;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The compiled CUDA kernels, where the build had nvcc: every kernel for every chip, nothing in
 * local memory.
 */
class CompiledKernelsTest {
  private static final Pattern FILE = Pattern.compile("(sm|compute)_(\\d+)/(\\w+)\\..*");
  private static final Pattern ENTRY =
      Pattern.compile("Compiling entry function '(\\w+)' for 'sm_(\\d+)\\w*'");
  private static final Pattern SPILL =
      Pattern.compile(
          "(\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill loads");

  private static List<String> index;
  private static String log;

  @BeforeAll
  static void read() throws IOException {
    assumeTrue(
        System.getProperty("weft.emulator") != null,
        "-Dweft.emulator tells where the native build lies, and its logs of ptxas");
    Path cuda = Emulator.folder().resolveSibling("cuda");
    index = Files.readAllLines(cuda.resolve("index.txt"));
    assumeTrue(!index.isEmpty(), "this build had no nvcc: no CUDA kernels");
    StringBuilder logs = new StringBuilder();
    for (String file : index) {
      if (file.endsWith(".cubin")) {
        logs.append(Files.readString(cuda.resolve(file.replace(".cubin", ".log"))));
      }
    }
    log = logs.toString();
  }

  private static Set<String> kernels() {
    return Stream.of(Kernel.values())
        .filter(Kernel::hasMachineCode)
        .flatMap(kernel -> kernel.precisions().stream().map(kernel::symbol))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** The families of kernels in files of a kind, by chip. */
  private static TreeMap<Integer, Set<String>> families(String kind) {
    TreeMap<Integer, Set<String>> families = new TreeMap<>();
    for (String file : index) {
      Matcher name = FILE.matcher(file);
      if (name.matches() && name.group(1).equals(kind)) {
        int chip = Integer.parseInt(name.group(2));
        families.computeIfAbsent(chip, one -> new TreeSet<>()).add(name.group(3));
      }
    }
    return families;
  }

  private static Set<Integer> compiled() {
    return families("sm").keySet();
  }

  @Test
  void everyChipHasCodeAndNewerOnesHavePtx() throws IOException {
    Set<String> sources = new TreeSet<>();
    Path folder = Path.of(System.getProperty("weft.root", "..")).resolve("native/cuda");
    try (Stream<Path> files = Files.list(folder)) {
      files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".cu"))
          .forEach(name -> sources.add(name.replace(".cu", "")));
    }
    families("sm").forEach((chip, families) -> assertEquals(sources, families, "sm_" + chip));
    TreeMap<Integer, Set<String>> ptx = families("compute");
    assertEquals(List.of(sources), List.copyOf(ptx.values()));
    assertTrue(ptx.firstKey() <= families("sm").lastKey());
  }

  /** What the jar has is what the index of the build names, no more and no less. */
  @Test
  void theJarHasWhatWasBuilt() throws IOException, URISyntaxException {
    URI resource =
        CompiledKernelsTest.class.getResource("/dev/weft/native/kernels/index.txt").toURI();
    if (resource.getScheme().equals("jar")) {
      try (FileSystem jar = FileSystems.newFileSystem(resource, Map.of())) {
        assertHolds(jar.provider().getPath(resource).getParent());
      }
    } else {
      assertHolds(Path.of(resource).getParent());
    }
  }

  private static void assertHolds(Path folder) throws IOException {
    assertEquals(index, Files.readAllLines(folder.resolve("index.txt")));
    try (Stream<Path> files = Files.walk(folder)) {
      Set<String> there = new TreeSet<>();
      files.filter(Files::isRegularFile).forEach(f -> there.add(folder.relativize(f).toString()));
      assertTrue(there.remove("index.txt"));
      assertEquals(new TreeSet<>(index.subList(1, index.size())), there);
    }
  }

  @Test
  void everyChipHasEveryKernel() throws IOException {
    for (int chip : compiled()) {
      assertEquals(List.of(), missing(ChipCode.of(chip)), "missing for sm_" + chip);
    }
  }

  private static List<String> missing(List<Cubin> modules) {
    Set<String> there = new TreeSet<>();
    modules.forEach(module -> there.addAll(module.functions()));
    return kernels().stream().filter(symbol -> !there.contains(symbol)).toList();
  }

  @Test
  void moduleThatIsLeftOutWouldBeMissed() throws IOException {
    List<Cubin> modules = new ArrayList<>(ChipCode.of(compiled().iterator().next()));
    modules.removeIf(module -> module.functions().contains("fill_f32"));
    assertTrue(missing(modules).contains("fill_f32"));
  }

  /** What is wrong with a log of ptxas: kernels it does not report, spills, arrays in memory. */
  private static List<String> complaints(String log) {
    List<String> complaints = new ArrayList<>();
    Set<String> reported = new TreeSet<>();
    String entry = "a function before the first";
    for (String line : log.lines().toList()) {
      Matcher found = ENTRY.matcher(line);
      if (found.find()) {
        entry = found.group(1) + " for sm_" + found.group(2);
      }
      Matcher spill = SPILL.matcher(line);
      if (spill.find()) {
        reported.add(entry);
        if (Stream.of(1, 2, 3).anyMatch(number -> !spill.group(number).equals("0"))) {
          complaints.add(entry + ": " + spill.group());
        }
      }
    }
    for (int chip : compiled()) {
      for (String kernel : kernels()) {
        String name = kernel + " for sm_" + chip;
        if (!reported.contains(name)) {
          complaints.add(name + " is not reported");
        }
      }
    }
    return complaints;
  }

  @Test
  void noKernelSpillsOrHasAnArrayInMemory() {
    assertEquals(List.of(), complaints(log));
  }

  @Test
  void spillWouldBeSeen() {
    String spilling =
        log.replaceFirst("0 bytes spill stores, 0 bytes", "8 bytes spill stores, 16 bytes");
    List<String> complaints = complaints(spilling);
    assertEquals(1, complaints.size());
    assertTrue(complaints.getFirst().contains("8 bytes spill stores, 16 bytes spill loads"));
  }

  @Test
  void arrayInMemoryWouldBeSeen() {
    String stacked = log.replaceFirst(" 0 bytes stack frame", " 128 bytes stack frame");
    List<String> complaints = complaints(stacked);
    assertEquals(1, complaints.size());
    assertTrue(complaints.getFirst().contains("128 bytes stack frame"));
  }

  @Test
  void kernelThatIsNotReportedWouldBeSeen() {
    int chip = compiled().iterator().next();
    String silent = log.replace("Compiling entry function 'fill_f32' for 'sm_" + chip + "'", "");
    assertEquals(List.of("fill_f32 for sm_" + chip + " is not reported"), complaints(silent));
  }
}
