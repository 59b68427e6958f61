// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The jars of Weft's benchmarks, the harness of its kernels and the script that runs all of it on a
 * machine with a GPU, which are no part of the command: the checkout around it has them.
 */
final class BenchJars {
  /** What the Java machines of JMH need beyond Weft itself: they count garbage and ask for load. */
  static final List<String> MODULES = List.of("java.management", "jdk.management");

  /** The jar, as {@code ./weft} tells it. */
  private static final String PROPERTY = "weft.bench";

  // JMH and what it needs; the rest of that folder are the libraries that Weft is compared with
  private static final String JMH = "(jmh-core|jopt-simple|commons-math3)-.*\\.jar";

  private BenchJars() {}

  /**
   * Finds the jars.
   *
   * @param kernels the CUDA release that compiled the kernels of this build
   * @throws IOException where there are no jars, or no kernels to measure
   */
  static List<Path> find(Optional<String> kernels) throws IOException {
    Path jar = jar();
    if (kernels.isEmpty()) {
      throw new IOException(
          "--with-bench is for a machine with a GPU, but this build has no CUDA kernels, since it"
              + " found no nvcc; install CUDA's toolkit (13 for a driver 580 or newer), then: touch"
              + " pom.xml && ./weft bundle --with-bench");
    }
    List<Path> jars = new ArrayList<>(List.of(jar));
    try (Stream<Path> libraries = Files.list(jar.resolveSibling("lib"))) {
      libraries.filter(file -> file.getFileName().toString().matches(JMH)).forEach(jars::add);
    }
    return jars;
  }

  /**
   * Copies the program that replays kernel cases without Java and its cases to one folder, where it
   * finds the bundle's kernels, too.
   *
   * @param folder is made
   */
  static void copyHarness(Path folder) throws IOException {
    Files.createDirectory(folder);
    for (String name : List.of("weft-harness", "cases.bin")) {
      Path file = jar().resolveSibling("harness").resolve(name);
      // attributes, for it must stay a program
      Files.copy(file, folder.resolve(name), StandardCopyOption.COPY_ATTRIBUTES);
    }
    Files.createSymbolicLink(folder.resolve("kernels"), Path.of("../lib/dev/weft/native/kernels"));
  }

  /**
   * Copies the script of a machine with a GPU, PyTorch's part beside it, and what the benchmarks'
   * jar says of the work of others.
   *
   * @param folder is made
   */
  static void copyScript(Path folder) throws IOException {
    Path bench = jar().toAbsolutePath().resolve("../..").normalize();
    Files.createDirectories(folder.resolve("peers"));
    for (String name : List.of("gpu.sh", "peers/torch_steps.py")) {
      Files.copy(bench.resolve(name), folder.resolve(name), StandardCopyOption.COPY_ATTRIBUTES);
    }
    Files.copy(
        jar().resolveSibling("classes/META-INF/THIRD-PARTY.txt"),
        folder.resolve("THIRD-PARTY.txt"));
  }

  private static Path jar() throws IOException {
    String named = System.getProperty(PROPERTY);
    if (named == null || !Files.exists(Path.of(named))) {
      throw new IOException("--with-bench is for a checkout of Weft: ./weft bundle --with-bench");
    }
    return Path.of(named);
  }
}
