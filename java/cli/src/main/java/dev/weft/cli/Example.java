// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A program of {@code docs/examples}, as its source describes it. The command's jar holds the
 * sources beside their classes, so that a file more is a program more.
 *
 * @param type the name of its class
 * @param group one of {@link #GROUPS}
 * @param name what it is called on the command line
 * @param draws whether it takes a folder for its picture as first argument
 * @param arguments the words for what else it takes; those in brackets may be left out
 * @param sentence what it shows
 */
record Example(
    String type,
    String group,
    String name,
    boolean draws,
    List<String> arguments,
    String sentence) {
  static final List<String> GROUPS =
      List.of("models", "training", "pictures", "your own parts", "text");

  private static final String SOURCES = "dev/weft/cli/examples/";
  private static final String FOLDER = "[--out FOLDER]";
  private static final Pattern HEADER =
      Pattern.compile("(?m)^// ([a-z ]+): weft examples run ([a-z0-9-]+)(.*)$");
  private static final Pattern SENTENCE =
      Pattern.compile("/\\*\\*(.+?\\.)(?=\\s+\\*?\\s*(<p>|[A-Z]|\\*?/))", Pattern.DOTALL);

  /** All, by group and name. */
  static List<Example> all() throws IOException {
    Path content = ClassJar.source(Main.class);
    try (Stream<Example> examples =
        Files.isDirectory(content) ? inFolder(content.resolve(SOURCES)) : inJar(content)) {
      return examples
          .sorted(
              Comparator.comparing((Example each) -> GROUPS.indexOf(each.group()))
                  .thenComparing(Example::name))
          .toList();
    }
  }

  private static Stream<Example> inFolder(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(Example::read).toList().stream();
    }
  }

  private static Example read(Path file) {
    try {
      return of(file.getFileName().toString(), Files.readString(file));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static Stream<Example> inJar(Path jar) throws IOException {
    try (JarFile entries = new JarFile(jar.toFile())) {
      Stream.Builder<Example> examples = Stream.builder();
      for (var entry : entries.stream().filter(e -> e.getName().startsWith(SOURCES)).toList()) {
        if (entry.getName().endsWith(".java")) {
          try (InputStream in = entries.getInputStream(entry)) {
            String source = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            examples.add(of(entry.getName().substring(SOURCES.length()), source));
          }
        }
      }
      return examples.build();
    }
  }

  /**
   * A program by its source.
   *
   * @throws IllegalStateException where the source does not say what it is
   */
  static Example of(String file, String source) {
    Matcher header = HEADER.matcher(source);
    Matcher sentence = SENTENCE.matcher(source);
    if (!header.find() || !GROUPS.contains(header.group(1)) || !sentence.find()) {
      throw new IllegalStateException(
          format(
              "docs/examples/%s needs a line such as '// models: weft examples run xor %s', its"
                  + " group one of %s, and a Javadoc sentence",
              file, FOLDER, String.join(", ", GROUPS)));
    }
    String takes = header.group(3);
    return new Example(
        file.replace(".java", ""),
        header.group(1),
        header.group(2),
        takes.contains(FOLDER),
        Arrays.stream(takes.replace(FOLDER, "").split(" ")).filter(w -> !w.isEmpty()).toList(),
        sentence
            .group(1)
            .replaceAll("\\s+\\*\\s+|\\s+", " ")
            .replaceAll("\\{@\\w+ ([^}]*)}", "$1") // a tag as what it is about
            .strip());
  }

  /**
   * The one of this name; hyphens and case do not matter.
   *
   * @throws IllegalArgumentException that names the nearest
   */
  static Example named(String name) throws IOException {
    List<Example> all = all();
    return all.stream()
        .filter(each -> letters(each.name()).equals(letters(name)))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    format(
                        "there is no example '%s'; did you mean %s? weft examples lists all",
                        name,
                        all.stream()
                            .map(Example::name)
                            .min(Comparator.comparingInt(each -> distance(each, name)))
                            .orElseThrow())));
  }

  private static String letters(String name) {
    return name.toLowerCase(ROOT).replace("-", "").replace("_", "");
  }

  /** How many letters are to be changed, added or taken away (Levenshtein). */
  private static int distance(String a, String b) {
    String from = letters(a);
    String to = letters(b);
    int[] row = new int[to.length() + 1];
    Arrays.setAll(row, j -> j);
    for (int i = 1; i <= from.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= to.length(); j++) {
        int changed = diagonal + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(changed, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[to.length()];
  }

  /** How it is run, in words for a user. */
  String usage() {
    return String.join(
            " ",
            Stream.of(
                    List.of("weft examples run", name), draws ? List.of(FOLDER) : List.<String>of())
                .flatMap(List::stream)
                .toList())
        + arguments.stream().map(word -> " " + word).reduce("", String::concat);
  }

  /**
   * Returns if it takes so many arguments.
   *
   * @throws IllegalArgumentException that says what it takes
   */
  void check(List<String> given) {
    long needed = arguments.stream().filter(word -> !word.startsWith("[")).count();
    if (given.size() < needed || given.size() > arguments.size()) {
      throw new IllegalArgumentException(
          format(
              "%s takes %s, got %s: %s",
              name,
              arguments.isEmpty() ? "no arguments" : String.join(" ", arguments),
              given.isEmpty() ? "nothing" : String.join(" ", given),
              usage()));
    }
  }
}
