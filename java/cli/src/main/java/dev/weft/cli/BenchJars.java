// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The jars of Weft's benchmarks, which are no part of the command: a build beside it has them. */
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
    String named = System.getProperty(PROPERTY);
    if (named == null || !Files.exists(Path.of(named))) {
      throw new IOException("--with-bench is for a checkout of Weft: ./weft bundle --with-bench");
    }
    Path jar = Path.of(named);
    List<Path> jars = new ArrayList<>(List.of(jar));
    try (Stream<Path> libraries = Files.list(jar.resolveSibling("lib"))) {
      libraries.filter(file -> file.getFileName().toString().matches(JMH)).forEach(jars::add);
    }
    return jars;
  }
}
