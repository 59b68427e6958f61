// SPDX-License-Identifier: Apache-2.0
package dev.weft.bench;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import java.util.Arrays;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Collectors;

/** Words of the command line that stand for something. */
final class Choice {
  private Choice() {}

  /**
   * The constant that a word stands for.
   *
   * @param what what is chosen, for the message
   * @throws IllegalArgumentException that lists the choices
   */
  static <E extends Enum<E>> E of(String what, String word, Class<E> choices) {
    return Arrays.stream(choices.getEnumConstants())
        .filter(constant -> constant.name().equalsIgnoreCase(word))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException(unknown(what, word, choices)));
  }

  /** What is said of a word that stands for no constant. */
  static <E extends Enum<E>> String unknown(String what, String word, Class<E> choices) {
    return Arrays.stream(choices.getEnumConstants())
        .map(constant -> constant.name().toLowerCase(ROOT))
        .collect(Collectors.joining(", ", format("unknown %s '%s': use ", what, word), ""));
  }

  /**
   * A pattern for names in letters of either case.
   *
   * @throws IllegalArgumentException where it is no regular expression
   */
  static Pattern pattern(String regex) {
    try {
      return Pattern.compile(regex, Pattern.CASE_INSENSITIVE);
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException(
          format("--only: '%s' is no regular expression: %s", regex, e.getDescription()), e);
    }
  }
}
