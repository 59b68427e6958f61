// SPDX-License-Identifier: Apache-2.0
package dev.weft.cli;

import static dev.weft.format.Format.format;

import dev.weft.data.Column;
import dev.weft.data.Dataset;
import dev.weft.data.Digits;
import dev.weft.data.Idx;
import dev.weft.data.Split;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which data. */
final class DataOptions {
  private static final long DIGITS_SEED = 7;
  private static final int USUAL_DIGITS = 60_000;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description =
          "A folder of IDX files as MNIST, EMNIST or QMNIST has them, gzip or not. Default: made"
              + " digits.")
  private @Nullable Path folder;

  @Option(
      names = "--set",
      paramLabel = "NAME",
      description =
          "Which of several data sets in --data: what its files' names begin with, such as"
              + " emnist-letters; '' for MNIST's own.")
  private @Nullable String set;

  @Option(
      names = "--digits",
      paramLabel = "N",
      description =
          "How many digits to make where there is no --data; N/6 more to test on. Default: 60000.")
  private @Nullable Integer digits;

  @Option(
      names = "--classes",
      paramLabel = "K",
      description = "Labels are 0..K-1. Default: as far as the labels of --data go.")
  private @Nullable Integer classes;

  /**
   * Looks at what needs no data.
   *
   * @throws IllegalArgumentException where both --data and --digits were given, or --set without
   *     --data
   */
  void check() {
    if (folder != null && digits != null) {
      throw new IllegalArgumentException(
          format("--digits is for made digits, and --data %s is read: leave one out", folder));
    }
    if (folder == null && set != null) {
      throw new IllegalArgumentException("--set names files in a folder: add --data DIR");
    }
  }

  /**
   * Reads or makes the data; {@link #check} has been called.
   *
   * @throws IllegalArgumentException where a label is outside 0..K-1
   */
  Split read() throws IOException {
    Split split =
        folder == null ? generate() : set == null ? Idx.read(folder) : Idx.read(folder, set);
    return classes == null
        ? split
        : new Split(
            inClasses(split.train(), "train", classes), inClasses(split.test(), "test", classes));
  }

  private Split generate() {
    return Digits.generate(digits == null ? USUAL_DIGITS : digits, DIGITS_SEED);
  }

  private static Dataset inClasses(Dataset data, String part, int classes) {
    try {
      return Dataset.of(data.features(), Column.ids(data.targets().toInts(), classes));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(format("%s labels: %s", part, e.getMessage()), e);
    }
  }

  /** A short name: that of the set, of the folder, or digits. */
  String name() {
    if (set != null && !set.isEmpty()) {
      return set;
    }
    Path last = folder == null ? null : folder.toAbsolutePath().normalize().getFileName();
    return folder == null ? "digits" : last == null ? "data" : last.toString();
  }

  /** What the data are: a folder and perhaps a set in it, or generated. */
  String source() {
    return folder == null
        ? "generated digits"
        : set == null || set.isEmpty() ? folder.toString() : set + " in " + folder;
  }

  /** One line. */
  String describe(Split split) {
    return format(
        "%s: %s to train on, %s to test on, %d features, %d classes",
        source(),
        Amount.count(split.train().rows()),
        Amount.count(split.test().rows()),
        split.train().features().width(),
        split.train().classes());
  }
}
