// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The jars of Weft's benchmarks and the harness of its kernels, which are no part of the command: a
 * build beside it has them.
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
   * Finds them.
   *
   * @throws IOException where there are none
   */
  static List<Path> find() throws IOException {
    Path jar = jar();
    List<Path> jars = new ArrayList<>(List.of(jar));
    try (Stream<Path> libraries = Files.list(jar.resolveSibling("lib"))) {
      libraries.filter(file -> file.getFileName().toString().matches(JMH)).forEach(jars::add);
    }
    return jars;
  }

  /**
   * Copies the program that replays kernel cases without Java, its cases and the kernels, to where
   * it finds them: one folder.
   *
   * @param folder is made
   */
  static void copyHarness(Path folder) throws IOException {
    Files.createDirectory(folder);
    try (Stream<Path> files = Files.list(jar().resolveSibling("harness"))) {
      for (Path file : (Iterable<Path>) files::iterator) {
        // attributes, for it must stay a program
        Files.copy(file, folder.resolve(file.getFileName()), StandardCopyOption.COPY_ATTRIBUTES);
      }
    }
  }

  private static Path jar() throws IOException {
    String named = System.getProperty(PROPERTY);
    if (named == null || !Files.exists(Path.of(named))) {
      throw new IOException("--with-bench is for a checkout of Weft: ./weft bundle --with-bench");
    }
    return Path.of(named);
  }
}
