// SPDX-License-Identifier: Apache-2.0
package dev.weft.device.cuda;

import static dev.weft.format.Format.format;

import dev.weft.device.NativeFiles;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Looks for a native library, loads it and remembers where it looked. A library that is loaded is
 * what every later one gets that needs its name.
 */
final class LibrarySearch {
  private static final String[] PYTHON_PACKAGES = {
    "lib/python3*/site-packages", "lib/python3*/dist-packages", "lib64/python3*/site-packages"
  };

  private final Set<Path> looked = new LinkedHashSet<>();
  private final List<String> failures = new ArrayList<>();
  private boolean askedLoader;
  private @Nullable String how;

  /** What a system property names, else an environment variable; null where neither is set. */
  static @Nullable String named(String variable, String property) {
    String value = System.getProperty(property, System.getenv(variable));
    return value == null || value.isBlank() ? null : value;
  }

  /** The name of the file at the end of all links. */
  static String realName(Path file) {
    try {
      return file.toRealPath().getFileName().toString();
    } catch (IOException absent) {
      return file.getFileName().toString();
    }
  }

  /** Loads the file that the user named; null where it cannot be loaded. */
  @Nullable Path loadNamed(Path file) {
    return loadNamedWithSibling(file, null);
  }

  /** Like {@link #loadNamed}, after a file that it needs and that may lie in the same folder. */
  @Nullable Path loadNamedWithSibling(Path file, @Nullable String sibling) {
    if (!Files.exists(file)) {
      failures.add(file + " was named and is not there");
      return null;
    }
    if (!loadFile(file.toAbsolutePath(), sibling)) {
      return null;
    }
    how = "named";
    return file;
  }

  /** Loads a library from the loader's own path, else from the first folder that has it. */
  @Nullable Path load(String name, List<Path> folders, String... siblings) {
    askedLoader = true;
    try {
      // the arena is never closed, so the library stays
      SymbolLookup.libraryLookup(name, Arena.global());
      how = "loader path";
      return loadedFrom(name);
    } catch (IllegalArgumentException absent) {
      // said by account(): the loader's path is where it was sought first
    }
    for (Path folder : folders) {
      looked.add(folder);
      Path file = folder.resolve(name);
      if (Files.exists(file) && loadFile(file, siblings.length == 0 ? null : siblings[0])) {
        how = "found in " + folder;
        return file;
      }
    }
    return null;
  }

  private boolean loadFile(Path file, @Nullable String sibling) {
    try {
      if (sibling != null && Files.exists(file.resolveSibling(sibling))) {
        System.load(file.resolveSibling(sibling).toString());
      }
      System.load(file.toString());
      return true;
    } catch (UnsatisfiedLinkError e) {
      failures.add(
          format(
              "%s does not load: %s",
              file, NativeFiles.whyNotLoaded(file, String.valueOf(e.getMessage()))));
      return false;
    }
  }

  /** Where a library lies that the loader found by itself. */
  private static Path loadedFrom(String name) {
    // the kernel names the file at the end of the links, such as libcuda.so.550.54.15
    String stem = "/" + name.substring(0, name.indexOf(".so")) + ".so";
    try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
      return maps.filter(line -> line.contains(stem))
          .map(line -> Path.of(line.substring(line.indexOf('/'))))
          .findFirst()
          .orElse(Path.of(name));
    } catch (IOException | UncheckedIOException unreadable) {
      return Path.of(name);
    }
  }

  /** How the library was found; where it was not, why and where it was sought. */
  String account() {
    if (how != null) {
      return how;
    }
    List<String> parts = new ArrayList<>(failures);
    if (askedLoader) {
      List<String> places = new ArrayList<>(List.of("the loader's path"));
      looked.forEach(folder -> places.add(folder.toString()));
      parts.add("looked in " + String.join(", ", places));
    }
    return String.join("; ", parts);
  }

  /** Where drivers lie that the loader may not know of. */
  static List<Path> driverFolders() {
    List<Path> folders = new ArrayList<>();
    for (String folder :
        List.of(
            "/usr/lib/x86_64-linux-gnu",
            "/usr/lib/aarch64-linux-gnu",
            "/usr/lib64",
            "/usr/lib/wsl/lib",
            "/usr/local/nvidia/lib64")) {
      folders.add(Path.of(folder));
    }
    folders.addAll(glob(Path.of("/usr/local"), "cuda*/compat"));
    return folders;
  }

  /** Where cuBLAS lies: toolkits, then Python's packages. */
  static List<Path> cublasFolders() {
    Set<Path> folders = new LinkedHashSet<>();
    for (String variable : List.of("CUDA_HOME", "CUDA_PATH")) {
      String home = System.getenv(variable);
      if (home != null && !home.isBlank()) {
        addToolkit(folders, Path.of(home));
      }
    }
    for (Path parent : List.of(Path.of("/usr/local"), Path.of("/opt"))) {
      glob(parent, "cuda*").forEach(home -> addToolkit(folders, home));
    }
    for (Path prefix : pythonPrefixes()) {
      for (String packages : PYTHON_PACKAGES) {
        folders.addAll(glob(prefix, packages + "/nvidia/*/lib"));
      }
    }
    String conda = System.getenv("CONDA_PREFIX");
    if (conda != null && !conda.isBlank()) {
      folders.add(Path.of(conda, "lib"));
    }
    return List.copyOf(folders);
  }

  private static void addToolkit(Set<Path> folders, Path home) {
    folders.add(home.resolve("lib64"));
    folders.addAll(glob(home, "targets/*/lib"));
  }

  /** The folders under which a Python keeps packages. */
  static List<Path> pythonPrefixes() {
    Set<Path> prefixes = new LinkedHashSet<>();
    for (String variable : List.of("VIRTUAL_ENV", "CONDA_PREFIX")) {
      String prefix = System.getenv(variable);
      if (prefix != null && !prefix.isBlank()) {
        prefixes.add(Path.of(prefix));
      }
    }
    String path = System.getenv("PATH");
    for (String folder : path == null ? new String[0] : path.split(File.pathSeparator)) {
      Path bin = Path.of(folder).toAbsolutePath();
      linksOf(bin.resolve("python3")).forEach(python -> addPrefix(prefixes, python));
    }
    Path home = Path.of(System.getProperty("user.home"));
    prefixes.add(home.resolve(".local"));
    prefixes.addAll(glob(home, ".pyenv/versions/*"));
    prefixes.add(Path.of("/usr/local"));
    prefixes.add(Path.of("/usr"));
    for (String environment : List.of("*", "*/.venv", "*/venv")) {
      prefixes.addAll(glob(Path.of("/opt"), environment));
    }
    prefixes.removeIf(
        prefix ->
            Stream.of(PYTHON_PACKAGES).allMatch(packages -> glob(prefix, packages).isEmpty()));
    return List.copyOf(prefixes);
  }

  private static void addPrefix(Set<Path> prefixes, Path python) {
    Path bin = python.getParent();
    if (bin != null && bin.getParent() != null) {
      prefixes.add(bin.getParent());
    }
  }

  /**
   * A file and what it links to, link by link: of a Python that is a link into a virtual
   * environment, the packages lie beside the environment's own link, not beside the file at the
   * end.
   */
  static List<Path> linksOf(Path file) {
    List<Path> links = new ArrayList<>();
    Path next = file;
    while (Files.exists(next) && links.size() < 40) {
      links.add(next);
      try {
        next = next.resolveSibling(Files.readSymbolicLink(next)).normalize();
      } catch (IOException | UnsupportedOperationException end) {
        break;
      }
    }
    return links;
  }

  /**
   * The folders under {@code start} that match, one name or pattern a level; sorted, newest name
   * first.
   */
  private static List<Path> glob(Path start, String pattern) {
    List<Path> level = List.of(start);
    for (String name : pattern.split("/")) {
      List<Path> next = new ArrayList<>();
      for (Path folder : level) {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, name)) {
          entries.forEach(next::add);
        } catch (IOException | DirectoryIteratorException absent) {
          continue;
        }
      }
      next.removeIf(path -> !Files.isDirectory(path));
      next.sort(Comparator.reverseOrder());
      level = next;
    }
    return level;
  }
}
