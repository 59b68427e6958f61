// SPDX-License-Identifier: Apache-2.0
package dev.weft.data;

import static dev.weft.format.Format.format;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The sets of IDX files in a folder, told apart by what stands before "train-" in their names. */
final class IdxFolder {
  private static final Pattern NAME =
      Pattern.compile("(?:(.+)-)?(train|test|t10k)-(images|labels)[-.](idx\\d-[a-z]+)(?:\\.gz)?");

  private final Path folder;
  private final Map<String, List<Path>> sets = new TreeMap<>();

  /** The four files of a set. */
  enum Part {
    TRAIN_IMAGES("train", "images"),
    TRAIN_LABELS("train", "labels"),
    TEST_IMAGES("test", "images"),
    TEST_LABELS("test", "labels");

    private final String half;
    private final String what;

    Part(String half, String what) {
      this.half = half;
      this.what = what;
    }

    private boolean is(Matcher name) {
      return half.equals(name.group(2).replace("t10k", "test")) && what.equals(name.group(3));
    }

    /** How the file is called in the set, in all spellings. */
    private List<String> names(String set) {
      String start = set.isEmpty() ? half.replace("test", "t10k") : set + "-" + half;
      String kind =
          what.equals("images") ? "idx3-ubyte" : set.equals("qmnist") ? "idx2-int" : "idx1-ubyte";
      return Stream.of("-", ".")
          .flatMap(dot -> Stream.of("", ".gz").map(gz -> start + "-" + what + dot + kind + gz))
          .toList();
    }
  }

  /** Looks into a folder. */
  IdxFolder(Path folder) throws IOException {
    this.folder = folder;
    if (!Files.isDirectory(folder)) {
      if (Files.exists(folder)) {
        throw new FileSystemException(
            folder.toString(), null, "is a file; a folder of IDX files was expected");
      }
      throw new NoSuchFileException(folder.toString(), null, "there is no such folder");
    }
    try (Stream<Path> files = Files.list(folder)) {
      // what is not packed comes first, and a line before a dot
      files
          .sorted(Comparator.comparing(file -> nameOf(file).replace(".idx", "~idx")))
          .forEach(
              file -> {
                Matcher name = NAME.matcher(nameOf(file));
                if (name.matches()) {
                  String set = name.group(1) == null ? "" : name.group(1);
                  sets.computeIfAbsent(set, key -> new ArrayList<>()).add(file);
                }
              });
    }
  }

  private static String nameOf(Path file) {
    return file.getFileName().toString();
  }

  /**
   * The set that the folder holds.
   *
   * @throws IOException where it holds none, or several
   */
  String onlySet() throws IOException {
    if (sets.isEmpty()) {
      String names =
          Stream.of(Part.values())
              .map(part -> part.names("").getFirst())
              .collect(Collectors.joining(", "));
      throw new NoSuchFileException(
          folder.toString(),
          null,
          format(
              "no MNIST files in this folder: wanted %s (each also with .gz), or others with a"
                  + " name before them, such as emnist-letters-train-images-idx3-ubyte",
              names));
    }
    List<String> whole = sets.keySet().stream().filter(this::isWhole).toList();
    if (whole.size() > 1) {
      throw new FileSystemException(
          folder.toString(),
          null,
          format(
              "holds several data sets, whose files' names begin with %s; say which: --set NAME"
                  + " (Idx.read(folder, name))",
              quoted(whole)));
    }
    return whole.isEmpty() ? sets.keySet().iterator().next() : whole.getFirst();
  }

  private boolean isWhole(String set) {
    return Stream.of(Part.values()).noneMatch(part -> candidates(set, part).isEmpty());
  }

  private List<Path> candidates(String set, Part part) {
    List<Path> found = new ArrayList<>();
    for (Path file : Objects.requireNonNull(sets.get(set))) {
      Matcher name = NAME.matcher(nameOf(file));
      if (name.matches() && part.is(name)) {
        found.add(file);
      }
    }
    return found;
  }

  /**
   * A file of a set.
   *
   * @throws IOException where there is none, or several that cannot be one in two spellings
   */
  Path find(String set, Part part) throws IOException {
    if (!sets.containsKey(set)) {
      throw new NoSuchFileException(
          folder.toString(),
          null,
          format(
              "has no files whose names begin with '%s'; there are those of %s",
              set, sets.isEmpty() ? "no set" : quoted(sets.keySet())));
    }
    List<Path> found = candidates(set, part);
    if (found.isEmpty()) {
      throw new NoSuchFileException(folder.toString(), null, "has none of " + part.names(set));
    }
    Path first = found.getFirst();
    for (Path other : found) {
      if (!unspelled(other).equals(unspelled(first))) {
        throw new FileSystemException(
            folder.toString(),
            null,
            format("holds both %s and %s: leave one there", nameOf(first), nameOf(other)));
      }
    }
    if (!Files.isRegularFile(first)) {
      throw new FileSystemException(first.toString(), null, "is not a file");
    }
    return first;
  }

  private static String unspelled(Path file) {
    return nameOf(file).replace(".gz", "").replace(".idx", "-idx");
  }

  private static String quoted(Iterable<String> sets) {
    List<String> names = new ArrayList<>();
    sets.forEach(set -> names.add("'" + set + "'"));
    return String.join(", ", names);
  }
}
