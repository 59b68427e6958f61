// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;
import static java.util.Locale.ROOT;

import java.util.Arrays;
import java.util.stream.Collectors;

/** A word of the command line that stands for a constant: {@code leaky_relu} for LEAKY_RELU. */
final class Choice {
  private Choice() {}

  /** The word for a constant. */
  static String word(Enum<?> constant) {
    return constant.name().toLowerCase(ROOT);
  }

  /**
   * The constant that a word stands for.
   *
   * @param what what is chosen, for the message
   * @throws IllegalArgumentException that lists the choices
   */
  static <E extends Enum<E>> E of(String what, String word, Class<E> choices) {
    return Arrays.stream(choices.getEnumConstants())
        .filter(constant -> word(constant).equals(word.strip().toLowerCase(ROOT)))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    format("unknown %s '%s': use %s", what, word, all(choices))));
  }

  private static <E extends Enum<E>> String all(Class<E> choices) {
    return Arrays.stream(choices.getEnumConstants())
        .map(Choice::word)
        .collect(Collectors.joining(", "));
  }
}
