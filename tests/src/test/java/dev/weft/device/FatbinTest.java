// SPDX-License-Identifier: Apache-2.0
package dev.weft.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weft.bench.sass.Cubin;
import dev.weft.bench.sass.Fatbin;
import dev.weft.support.Emulator;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The compiled CUDA kernels, where the build had nvcc: every kernel for every chip, nothing in
 * local memory.
 */
class FatbinTest {
  private static final String RESOURCE = "dev/weft/native/weft_kernels.fatbin";
  private static final Set<Integer> CHIPS = new TreeSet<>(Set.of(75, 80, 86, 89, 90, 100, 120));
  private static final Pattern ENTRY =
      Pattern.compile("Compiling entry function '(\\w+)' for 'sm_(\\d+)\\w*'");
  private static final Pattern SPILL =
      Pattern.compile(
          "(\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill loads");

  private static byte[] bytes;
  private static String log;

  @BeforeAll
  static void read() throws IOException {
    try (InputStream in = NativeFiles.open(RESOURCE)) {
      assumeTrue(in != null, "this build had no nvcc: no " + RESOURCE);
      bytes = in.readAllBytes();
    }
    assumeTrue(
        System.getProperty("weft.emulator") != null,
        "-Dweft.emulator tells where the native build lies, and its ptxas.log");
    Path written = Emulator.folder().resolveSibling("cuda").resolve("ptxas.log");
    assertTrue(Files.exists(written), () -> "there is a fatbin and no " + written);
    log = Files.readString(written);
  }

  private static Set<String> kernels() {
    Set<String> symbols = new TreeSet<>();
    for (Kernel kernel : Kernel.values()) {
      if (kernel.kind() != Kernel.Kind.LIBRARY) {
        Stream.of(Precision.values())
            .filter(kernel::exists)
            .map(kernel::symbol)
            .forEach(symbols::add);
      }
    }
    return symbols;
  }

  /** An nvcc of another version may know fewer chips; those it was given are in the log. */
  private static Set<Integer> compiled() {
    Set<Integer> chips = new TreeSet<>();
    ENTRY.matcher(log).results().forEach(found -> chips.add(Integer.parseInt(found.group(2))));
    return chips;
  }

  @Test
  void everyChipHasCodeAndNewerOnesHavePtx() {
    Fatbin fatbin = Fatbin.read(bytes);
    assertEquals(compiled(), fatbin.chips(Fatbin.Kind.SASS));
    Set<Integer> newest = Set.of(new TreeSet<>(compiled()).last());
    assertEquals(newest, fatbin.chips(Fatbin.Kind.PTX));
    assertTrue(CHIPS.containsAll(compiled()), () -> "compiled for " + compiled());
    assumeTrue(
        compiled().equals(CHIPS), () -> "this nvcc compiles for " + compiled() + " of " + CHIPS);
  }

  @Test
  void everyChipHasEveryKernel() {
    for (Fatbin.Image image : Fatbin.read(bytes).images()) {
      if (image.kind() == Fatbin.Kind.SASS) {
        assertEquals(List.of(), missing(image), "missing for sm_" + image.chip());
      }
    }
  }

  private static List<String> missing(Fatbin.Image image) {
    Set<String> there = new Cubin(image.content()).functions();
    return kernels().stream().filter(symbol -> !there.contains(symbol)).toList();
  }

  @Test
  void kernelOfAnotherNameWouldBeMissed() {
    Fatbin.Image image = Fatbin.read(bytes).images().getFirst();
    byte[] name = "\0fill_f32\0".getBytes(StandardCharsets.US_ASCII);
    byte[] content = new byte[image.content().remaining()];
    image.content().get(0, content);
    int renamed = 0;
    for (int i = 0; i + name.length <= content.length; i++) {
      if (Arrays.equals(content, i, i + name.length, name, 0, name.length)) {
        content[i + 1] = 'F';
        renamed++;
      }
    }
    assertTrue(renamed > 0, "the name of fill_f32 is in the image");
    ByteBuffer doctored = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    assertEquals(
        List.of("fill_f32"), missing(new Fatbin.Image(image.kind(), image.chip(), doctored)));
  }

  @Test
  void missingImageWouldBeSeen() {
    assertThrows(
        IllegalArgumentException.class,
        () -> Fatbin.read(Arrays.copyOf(bytes, bytes.length - 8)),
        "cut short");
    byte[] relabelled = bytes.clone();
    assertEquals(75, relabelled[16 + 28], "the chip of the first image");
    relabelled[16 + 28] = 80;
    assertFalse(Fatbin.read(relabelled).chips(Fatbin.Kind.SASS).contains(75));
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
    String silent = log.replace("Compiling entry function 'fill_f32' for 'sm_75'", "");
    assertEquals(List.of("fill_f32 for sm_75 is not reported"), complaints(silent));
  }
}
