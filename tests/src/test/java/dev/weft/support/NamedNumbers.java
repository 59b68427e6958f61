// SPDX-License-Identifier: Apache-2.0
package dev.weft.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/** Arrays of a test's resource, a line each: a name, then its numbers. */
public final class NamedNumbers {
  private final Map<String, double[]> numbers = new LinkedHashMap<>();

  /**
   * Reads them.
   *
   * @param file below tests/src/test/resources
   */
  public NamedNumbers(String file) {
    Path path = Path.of(System.getProperty("weft.root"), "tests", "src", "test", "resources", file);
    try {
      for (String line : Files.readAllLines(path)) {
        String[] words = line.split(" ");
        if (!words[0].equals("#")) {
          numbers.put(
              words[0], Arrays.stream(words).skip(1).mapToDouble(Double::parseDouble).toArray());
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The numbers of a name that is there. */
  public double[] of(String name) {
    return Objects.requireNonNull(numbers.get(name), name);
  }

  /** Whether a name is there. */
  public boolean has(String name) {
    return numbers.containsKey(name);
  }
}
