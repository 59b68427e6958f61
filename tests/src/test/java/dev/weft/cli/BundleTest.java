// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weft.ThirdParty;
import dev.weft.device.NativeFiles;
import dev.weft.device.cpu.CpuLibrary;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tukaani.xz.XZInputStream;

class BundleTest {
  @TempDir private Path folder;

  @Test
  void aFolderOfSomethingElseIsLeftAlone() throws IOException {
    Path theirs = Files.writeString(folder.resolve("thesis.txt"), "months of work");
    Weft.run("bundle", "--out", folder).failed(Main.FAILURE, "is not empty and no bundle");
    Weft.run("bundle", "--out", theirs).failed(Main.FAILURE, "is a file");
    Weft.run("bundle", "--out", folder.resolve("absent/bundle"))
        .failed(Main.FAILURE, folder.resolve("absent/bundle") + ": ", "does not exist");
    assertEquals("months of work", Files.readString(theirs));
  }

  @Test
  void benchmarksAreBundledFromACheckoutAlone() throws IOException {
    Weft.run("bundle", "--with-bench", "--out", folder.resolve("bundle"))
        .failed(Main.FAILURE, "--with-bench is for a checkout of Weft");
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(List.of(), left.toList());
    }
  }

  @Test
  void theHarnessAndTheScriptTravelAsPrograms() throws IOException {
    Path bench = Path.of(System.getProperty("weft.root"), "bench");
    for (String name : List.of("gpu.sh", "peers/torch_steps.py")) {
      Path copy = folder.resolve("bench").resolve(name);
      Files.createDirectories(copy.getParent());
      Files.copy(bench.resolve(name), copy, StandardCopyOption.COPY_ATTRIBUTES);
    }
    Files.createDirectory(folder.resolve("bench/peers/__pycache__"));
    Path built = Files.createDirectory(folder.resolve("bench/target"));
    Path program = Files.createDirectory(built.resolve("harness")).resolve("weft-harness");
    Files.writeString(program, "");
    assertTrue(program.toFile().setExecutable(true));
    Files.writeString(program.resolveSibling("cases.bin"), "");
    Path list = built.resolve("classes/META-INF/THIRD-PARTY.txt");
    Files.createDirectories(list.getParent());
    Files.writeString(list, "of others");
    System.setProperty("weft.bench", Files.writeString(built.resolve("bench.jar"), "").toString());
    Path bundle = Files.createDirectory(folder.resolve("bundle"));
    try {
      BenchJars.copyHarness(bundle.resolve("harness"));
      BenchJars.copyScript(bundle.resolve("bench"));
    } finally {
      System.clearProperty("weft.bench");
    }
    assertTrue(Files.isExecutable(bundle.resolve("harness/weft-harness")));
    assertTrue(Files.exists(bundle.resolve("harness/cases.bin")));
    assertTrue(Files.isExecutable(bundle.resolve("bench/gpu.sh")));
    assertEquals("of others", Files.readString(bundle.resolve("bench/THIRD-PARTY.txt")));
    try (Stream<Path> peers = Files.list(bundle.resolve("bench/peers"))) {
      assertEquals(List.of(bundle.resolve("bench/peers/torch_steps.py")), peers.toList());
    }
  }

  @Test
  void everyLibraryIsNamedWithItsLicence() throws Exception {
    ClassJar.copyNotices(Main.class, folder);
    Path root = Path.of(System.getProperty("weft.root"));
    for (String name : List.of("LICENSE", "NOTICE")) {
      assertEquals(Files.readString(root.resolve(name)), Files.readString(folder.resolve(name)));
    }
    String list = Files.readString(folder.resolve("THIRD-PARTY.txt"));
    List<String> libraries = new ArrayList<>(BundleCommand.natives());
    for (Class<?> type : BundleCommand.classes()) {
      libraries.add(type.getProtectionDomain().getCodeSource().getLocation().getPath());
    }
    assertEquals(List.of(), ThirdParty.unnamed(list, libraries));
    assertEquals(List.of(), ThirdParty.withoutText(list));
    for (String name : List.of("gson-2.14.0", "libgomp.so.1")) {
      List<String> found = ThirdParty.unnamed(list.replace(name + " (", "("), libraries);
      assertEquals(1, found.size(), found::toString);
      assertTrue(found.getFirst().contains(name), found::toString);
    }
    String of = "Permission is hereby granted";
    assertEquals(List.of("MIT"), ThirdParty.withoutText(list.replace(of, "")));
  }

  @Test
  void benchmarksWithNoKernelsForAGpuAreNotBundled() throws IOException {
    System.setProperty("weft.bench", Files.writeString(folder.resolve("bench.jar"), "").toString());
    try {
      IOException refused = assertThrows(IOException.class, () -> BenchJars.find(Optional.empty()));
      assertTrue(refused.getMessage().contains("has no CUDA kernels"), refused::getMessage);
    } finally {
      System.clearProperty("weft.bench");
    }
  }

  @Test
  void aBundleIsReplacedWhenTheNewOneIsComplete() throws IOException {
    BundleFolder bundle = new BundleFolder(folder.resolve("bundle"));
    try (BundleFolder.Draft draft = bundle.draft()) {
      draft.launcher();
      draft.publish("1");
    }
    Path launcher = folder.resolve("bundle/bin/weft");
    assertTrue(Files.isExecutable(launcher));
    bundle.check();
    try (BundleFolder.Draft draft = bundle.draft()) {
      Files.writeString(draft.path().resolve("half"), "");
    }
    assertTrue(Files.exists(launcher));
    try (BundleFolder.Draft draft = bundle.draft()) {
      draft.publish("2");
    }
    assertEquals("weft 2\n", Files.readString(folder.resolve("bundle/weft-bundle.txt")));
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(List.of(folder.resolve("bundle")), left.toList());
    }
  }

  @Test
  void aBundleThatWasCutShortSaysSo() throws Exception {
    BundleFolder bundle = new BundleFolder(folder.resolve("bundle"));
    try (BundleFolder.Draft draft = bundle.draft()) {
      Path java = Files.createDirectories(draft.path().resolve("java/bin")).resolve("java");
      Files.writeString(java, "#!/bin/sh\necho runs\n");
      assertTrue(java.toFile().setExecutable(true));
      Files.createDirectory(draft.path().resolve("lib"));
      Files.writeString(draft.path().resolve("lib/natives.jar"), "a jar");
      draft.launcher();
      draft.publish("1");
    }
    assertEquals("runs\n", launched());
    Files.writeString(folder.resolve("bundle/lib/more.jar"), "the user's own");
    assertEquals("runs\n", launched());
    Files.writeString(folder.resolve("bundle/lib/natives.jar"), "a ja");
    String said = launched();
    assertTrue(said.startsWith("weft: this bundle is not complete: " + folder), said);
    Files.delete(folder.resolve("bundle/lib/natives.jar"));
    assertEquals(said, launched());
    Files.move(folder.resolve("bundle"), folder.resolve("a:b"));
    Files.createSymbolicLink(folder.resolve("bundle"), folder.resolve("a:b"));
    assertTrue(
        launched().startsWith("weft: Java finds no classes under a path with a colon"), said);
  }

  private String launched() throws IOException {
    Process launcher =
        new ProcessBuilder(folder.resolve("bundle/bin/weft").toString())
            .redirectErrorStream(true)
            .start();
    return new String(launcher.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }

  @Test
  void packedLibrariesUnpackToTheSameBytes() throws IOException {
    String resource = CpuLibrary.resources().getFirst();
    Path jar = folder.resolve("natives.jar");
    NativeJar.write(jar, List.of(resource));
    byte[] expected;
    try (InputStream in = NativeFiles.open(resource)) {
      expected = in.readAllBytes();
    }
    try (JarFile file = new JarFile(jar.toFile());
        InputStream in = new XZInputStream(file.getInputStream(file.getEntry(resource + ".xz")))) {
      assertArrayEquals(expected, in.readAllBytes());
    }
  }

  /**
   * jlink leaves the symbols of Java's own library, a sixth of it, which an archive has no use of.
   */
  @Test
  void nativeCodeOfTheImageHasNoSymbolsThatNothingLinksTo() throws Exception {
    Path image = folder.resolve("image");
    JavaImage.make(image, List.of());
    Path library = Path.of("lib", "server", "libjvm.so");
    long whole = Files.size(Path.of(System.getProperty("java.home")).resolve(library));
    long stripped = Files.size(image.resolve(library));
    boolean isThere =
        Stream.of(System.getenv("PATH").split(":"))
            .anyMatch(bin -> Files.isExecutable(Path.of(bin, "objcopy")));
    assertEquals(isThere, stripped < 0.9 * whole, whole + " bytes became " + stripped);
    Process java = new ProcessBuilder(image.resolve("bin/java").toString(), "-version").start();
    assertEquals(0, java.waitFor());
  }
}
