// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench.embeddings;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import dev.weft.bench.report.Missing;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** Who trains beside Weft, where it is here. */
public final class Peers {
  private static final Path USUAL = Path.of("/usr/bin");

  private final List<Side> sides = new ArrayList<>();

  private Peers() {}

  /** What can be installed. */
  public enum Tool {
    FASTTEXT("no program fasttext on the path; Debian has it: apt-get install fasttext."),
    GENSIM("no python3 on the path has it; Debian's has: apt-get install python3-gensim."),
    NONE("nobody was asked for: --peer none.");

    private final String absent;

    Tool(String absent) {
      this.absent = absent;
    }
  }

  /**
   * Looks for them.
   *
   * @param builds of word2vec.c, by their names
   * @param missing takes those that are not here, with what to do
   * @throws IllegalArgumentException where a build is no program
   */
  public static Peers find(Map<String, Path> builds, Set<Tool> tools, Consumer<Missing> missing) {
    Peers peers = new Peers();
    builds.forEach(
        (name, program) -> {
          if (!Files.isRegularFile(program) || !Files.isExecutable(program)) {
            throw new IllegalArgumentException(
                format("--word2vec %s=%s: no program that can be run", name, program));
          }
          peers.sides.add(Side.word2vec(name, program));
        });
    if (builds.isEmpty()) {
      missing.accept(
          new Missing(
              "word2vec.c",
              "name a build by --word2vec NAME=PATH; bench/README.md says how one is made."));
    }
    for (Tool tool : tools) {
      Optional<Side> side =
          switch (tool) {
            case FASTTEXT -> programs("fasttext").stream().findFirst().map(Side::fastText);
            case GENSIM ->
                programs("python3").stream().filter(Peers::hasGensim).findFirst().map(Side::gensim);
            case NONE -> Optional.empty();
          };
      side.ifPresentOrElse(
          peers.sides::add,
          () -> missing.accept(new Missing(tool.name().toLowerCase(ROOT), tool.absent)));
    }
    return peers;
  }

  private static List<Path> programs(String name) {
    List<Path> folders = new ArrayList<>();
    for (String folder : Optional.ofNullable(System.getenv("PATH")).orElse("").split(":")) {
      folders.add(Path.of(folder));
    }
    folders.add(USUAL); // Debian's, where another one of that name comes first
    return folders.stream()
        .map(folder -> folder.resolve(name))
        .filter(Files::isExecutable)
        .toList();
  }

  private static boolean hasGensim(Path python) {
    try {
      Process process =
          new ProcessBuilder(python.toString(), "-c", "import gensim")
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return process.onExit().join().exitValue() == 0;
    } catch (IOException e) {
      return false;
    }
  }

  List<Side> sides() {
    return sides;
  }
}
