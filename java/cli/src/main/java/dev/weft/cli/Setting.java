// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;
import static java.util.stream.Collectors.joining;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * One value for each option that is varied.
 *
 * @param values by the options' names, without dashes
 */
record Setting(SequencedMap<String, String> values) {
  /** Commas that are not between parentheses. */
  private static final Pattern COMMA = Pattern.compile(",(?![^(]*\\))");

  /** What all runs have in common. */
  private static final Map<String, String> SHARED =
      Map.of(
          "data", "data",
          "set", "data",
          "digits", "data",
          "classes", "data",
          "data-memory", "data",
          "validation", "data",
          "device", "device",
          "threads", "device");

  /**
   * All combinations of what is varied, the last option's values changing fastest.
   *
   * @param varied {@code NAME=VALUE,VALUE} each, or with semicolons between values that have commas
   * @throws IllegalArgumentException where one is no option of a training run, or has no values
   */
  static List<Setting> all(List<String> varied) {
    SequencedMap<String, List<String>> values = new LinkedHashMap<>();
    for (String each : varied) {
      int end = each.indexOf('=');
      if (end < 1 || end == each.length() - 1) {
        throw new IllegalArgumentException(
            format("--vary %s: write NAME=VALUE,VALUE, such as rate=0.1,0.01", each));
      }
      String name = each.substring(0, end).strip();
      checkName(name);
      if (values.put(name, split(name, each.substring(end + 1))) != null) {
        throw new IllegalArgumentException(
            format("--vary %s is there twice: write all its values behind one", name));
      }
    }
    List<Setting> all = List.of(new Setting(new LinkedHashMap<>()));
    for (Map.Entry<String, List<String>> option : values.entrySet()) {
      all =
          all.stream()
              .flatMap(
                  before -> option.getValue().stream().map(v -> before.with(option.getKey(), v)))
              .toList();
    }
    return all;
  }

  private Setting with(String name, String value) {
    SequencedMap<String, String> more = new LinkedHashMap<>(values);
    more.put(name, value);
    return new Setting(more);
  }

  private static void checkName(String name) {
    String shared = SHARED.get(name);
    if (shared != null) {
      throw new IllegalArgumentException(
          format("--vary %s: all runs are over the same data, on one device", name));
    }
    CommandLine options = new CommandLine(new TrainingOptions());
    if (options.getCommandSpec().findOption("--" + name) == null) {
      List<String> similar =
          new UnmatchedArgumentException(options, List.of("--" + name))
              .getSuggestions().stream().map(option -> option.substring(2)).toList();
      throw new IllegalArgumentException(
          format(
              "--vary %s: a training run has no such option%s",
              name,
              similar.isEmpty() ? "" : "; did you mean " + String.join(" or ", similar) + "?"));
    }
  }

  private static List<String> split(String name, String text) {
    Stream<String> parts =
        text.contains(";") ? Stream.of(text.split(";", -1)) : COMMA.splitAsStream(text + " ");
    List<String> values = parts.map(String::strip).toList();
    if (values.contains("") || values.stream().distinct().count() < values.size()) {
      throw new IllegalArgumentException(
          format(
              "--vary %s=%s: %s",
              name, text, values.contains("") ? "a value is empty" : "a value is there twice"));
    }
    return values;
  }

  /**
   * The options of a run of this setting, all looked at that needs no data.
   *
   * @param common options of all runs, as words of the command
   * @throws IllegalArgumentException in the words of {@code weft train}, and which setting it is
   */
  TrainingOptions options(List<String> common) {
    List<String> words = new ArrayList<>(common);
    values.forEach((name, value) -> words.add("--" + name + "=" + value));
    TrainingOptions options = new TrainingOptions();
    try {
      new CommandLine(options)
          .setOverwrittenOptionsAllowed(true)
          .parseArgs(words.toArray(String[]::new));
      options.check(false);
    } catch (ParameterException | IllegalArgumentException e) {
      throw refused(e);
    }
    return options;
  }

  /** The refusal of a run, and which setting it is. */
  IllegalArgumentException refused(RuntimeException e) {
    return new IllegalArgumentException(this + ": " + Explanation.of(e), e);
  }

  /** The values alone. */
  String label() {
    return String.join(" ", values.values());
  }

  @Override
  public String toString() {
    return values.entrySet().stream()
        .map(value -> value.getKey() + "=" + value.getValue())
        .collect(joining(" "));
  }
}
