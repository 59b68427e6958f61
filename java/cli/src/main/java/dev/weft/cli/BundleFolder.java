// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.io.AtomicFile;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** The folder of a bundle. It is made under another name and takes its own when it is complete. */
final class BundleFolder {
  private static final String MARK = "weft-bundle.txt";
  private static final String LIST = "files.txt";
  private static final String LAUNCHER =
      """
      #!/bin/sh
      # weft COMMAND ...: runs with the Java beside it. weft bench ... where that was bundled, too.
      # WEFT_JAVA_OPTS: options for Java, such as -Xmx8g
      root=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
      fail() { echo "weft: $*" >&2 && exit 1; }
      # 360 to 364 begin what is outside of Unicode's first plane
      case $root in
        *[!a-zA-Z0-9/._-]*)
          [ -z "$(printf %s "$root" | LC_ALL=C tr -cd ':\\360-\\364')" ] ||
            fail "Java finds no classes under a path with a colon or an emoji; move this bundle: $root" ;;
      esac
      # Java would take a jar that was cut short for none, and end on a program that was
      there=$(cd -- "$root" && cut -d' ' -f2- files.txt | xargs stat -c '%s %n' 2>&1) || :
      [ "$there" = "$(cat -- "$root/files.txt")" ] ||
        fail "this bundle is not complete: $root; copy or unpack it again"
      # the locale's charset is what Java reads file names by
      if [ "$(locale charmap 2>/dev/null)" != UTF-8 ]; then
        [ -z "$LC_ALL" ] || export LANG="$LC_ALL"
        unset LC_ALL
        export LC_CTYPE=C.UTF-8
      fi
      main=dev.weft.cli.Main options=
      if [ "$1" = bench ] && [ -e "$root/lib/weft-bench.jar" ]; then
        main=dev.weft.bench.Main options=--sun-misc-unsafe-memory-access=allow
        shift
      fi
      exec "$root/java/bin/java" --enable-native-access=ALL-UNNAMED $options $WEFT_JAVA_OPTS \\
        -cp "$root/lib/*:$root/lib" $main "$@"
      """;

  private final Path given;
  private final Path path;

  BundleFolder(Path path) {
    this.given = path;
    this.path = path.toAbsolutePath().normalize();
  }

  /**
   * Returns if the folder may be made or replaced.
   *
   * @throws IOException where it holds something else or cannot be written
   */
  void check() throws IOException {
    if (Files.exists(path, LinkOption.NOFOLLOW_LINKS) && !Files.isDirectory(path)) {
      throw new FileSystemException(path.toString(), null, "is a file; a folder was to be made");
    }
    if (Files.isDirectory(path) && !Files.exists(path.resolve(MARK))) {
      try (Stream<Path> entries = Files.list(path)) {
        if (entries.findAny().isPresent()) {
          throw new FileSystemException(
              path.toString(), null, "is not empty and no bundle; it was left as it is");
        }
      }
    }
    try {
      AtomicFile.checkWritable(path.resolveSibling(path.getFileName() + "." + MARK));
    } catch (FileSystemException e) {
      throw new FileSystemException(given.toString(), null, Explanation.reason(e));
    }
  }

  /** Begins a new one. */
  Draft draft() throws IOException {
    return new Draft();
  }

  /** The sizes of its files. */
  long bytes() throws IOException {
    try (Stream<Path> files = Files.walk(path)) {
      return files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
    }
  }

  private static void delete(Path folder) throws IOException {
    if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    List<Path> files;
    try (Stream<Path> walk = Files.walk(folder)) {
      files = walk.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path file : files) {
      Files.delete(file);
    }
  }

  /** A bundle in the making; closed before it is published, it leaves nothing. */
  final class Draft implements AutoCloseable {
    private final Path draft;

    Draft() throws IOException {
      // beside the folder, so that it can be renamed
      draft = Files.createTempDirectory(path.getParent(), ".weft-bundle-");
      Files.setPosixFilePermissions(draft, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    Path path() {
      return draft;
    }

    /** Writes {@code bin/weft}. */
    void launcher() throws IOException {
      Path launcher = Files.createDirectory(draft.resolve("bin")).resolve("weft");
      Files.writeString(launcher, LAUNCHER);
      Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** Takes the place of what was there, when all of it is on the disk. */
    void publish(String version) throws IOException {
      Files.writeString(draft.resolve(MARK), format("weft %s%n", version));
      Files.writeString(draft.resolve(LIST), list());
      try (Stream<Path> all = Files.walk(draft)) {
        for (Path each : (Iterable<Path>) all::iterator) {
          force(each);
        }
      }
      // at each moment the name stands for a whole bundle or for none
      Path old = draft.resolveSibling(draft.getFileName() + ".old");
      if (Files.exists(path)) {
        Files.move(path, old);
      }
      try {
        Files.move(draft, path);
      } catch (IOException e) {
        if (Files.exists(old)) {
          Files.move(old, path);
        }
        throw e;
      }
      force(path.resolveSibling(""));
      delete(old);
    }

    /** A line for each program and library, as {@code stat -c '%s %n'} prints it. */
    private String list() throws IOException {
      StringBuilder lines = new StringBuilder();
      try (Stream<Path> all = Files.walk(draft)) {
        for (Path each : (Iterable<Path>) all.sorted()::iterator) {
          // settings, certificates and texts are their owner's to change
          boolean runs =
              each.toString().matches(".*(\\.(jar|cubin|ptx)|\\.so[.0-9]*|/bin/java|/lib/modules)");
          if (runs && Files.isRegularFile(each, LinkOption.NOFOLLOW_LINKS)) {
            lines.append(format("%d %s%n", Files.size(each), draft.relativize(each)));
          }
        }
      }
      return lines.toString();
    }

    private static void force(Path file) throws IOException {
      if (!Files.isSymbolicLink(file)) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
          channel.force(true);
        }
      }
    }

    @Override
    public void close() throws IOException {
      delete(draft);
    }
  }
}
